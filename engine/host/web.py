"""Makes the requests of the host module "http"."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from engine.host.callback import Callback
from engine.host.calls import CALLER
from engine.host.json import decode as decode_json
from engine.origins import PORTS, Origin

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECRET = ("authorization", "cookie", "proxy-authorization")


class Client:
    """Makes requests, each on a connection of its own."""

    def __init__(self, rules: tuple[Origin, ...], timeout: float, max_bytes: int, redirects: int) -> None:
        self._rules = rules
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._redirects = redirects
        # Made now, because reading the certificates takes long.
        secure = any(rule.scheme == "https" for rule in rules)
        self._verify: ssl.SSLContext | bool = ssl.create_default_context() if secure else False

    async def get(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        json: bool = False,
        on_progress: Callback | None = None,
    ) -> dict[str, Any]:
        """Ask for `url`. The answer has `status`, `ok`, `headers` (small letters), `body` and `url`.

        With `json = true` also `json`, the value that the body says. `on_progress(bytes, total)` is called
        meanwhile.
        """
        return await self._answer("GET", url, None, headers, timeout, json, on_progress)

    async def post(
        self,
        url: str,
        body: bytes | dict[Any, Any] | list[Any] = b"",
        *,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        json: bool = False,
        on_progress: Callback | None = None,
    ) -> dict[str, Any]:
        """Send `body` to `url`, a table as JSON."""
        return await self._answer("POST", url, body, headers, timeout, json, on_progress)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | dict[Any, Any] | list[Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        json: bool = False,
        on_progress: Callback | None = None,
    ) -> dict[str, Any]:
        """Make any request: "PUT", "DELETE", ..."""
        if method.upper() not in _METHODS:
            raise ValueError(f'method must be one of {", ".join(_METHODS)}, got "{method}"')
        return await self._answer(method.upper(), url, body, headers, timeout, json, on_progress)

    async def _answer(
        self,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str] | None,
        timeout: float | None,
        as_json: bool,
        on_progress: Callback | None,
    ) -> dict[str, Any]:
        self._check(url, "")
        seconds = self._timeout if timeout is None else min(timeout, self._timeout)
        if not seconds > 0:
            raise ValueError(f"timeout must be seconds > 0, got {seconds:g}")
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        # Compressed answers could be far larger than what was counted.
        sent["accept-encoding"] = "identity"
        if isinstance(body, dict | list):
            body = json.dumps(body, allow_nan=False).encode()
            sent.setdefault("content-type", "application/json")
        answer = await self._in_time(seconds, method, url, body, sent, on_progress)
        if as_json:
            answer["json"] = decode_json(answer["body"].decode())
        return answer

    async def _in_time(
        self,
        seconds: float,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str],
        on_progress: Callback | None,
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                async with httpx.AsyncClient(timeout=None, trust_env=False, verify=self._verify) as client:
                    return await self._follow(client, method, url, body, headers, on_progress)
        except TimeoutError:
            raise TimeoutError(f"{method} {url}: no whole answer within {seconds:g} s") from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ConnectionError(f"{method} {url}: {reason}") from error

    async def _follow(
        self,
        client: httpx.AsyncClient,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str],
        on_progress: Callback | None,
    ) -> dict[str, Any]:
        for _ in range(self._redirects + 1):
            async with client.stream(method, url, content=body, headers=headers) as response:
                target = response.headers.get("location")
                if not response.has_redirect_location or target is None:
                    return await self._read(response, url, on_progress)
            before, url = url, urljoin(url, target)
            self._check(url, f"{before} leads to ")
            if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
                method, body = "GET", None
                headers = {name: value for name, value in headers.items() if name != "content-type"}
            if _origin(urlsplit(before)) != _origin(urlsplit(url)):  # nor may they go without encryption
                headers = {name: value for name, value in headers.items() if name not in _SECRET}
        raise ConnectionError(f"{method} {url}: more than {self._redirects} redirects")

    async def _read(self, response: httpx.Response, url: str, on_progress: Callback | None) -> dict[str, Any]:
        size = response.headers.get("content-length", "")
        total = int(size) if size.isdigit() else None
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > self._max_bytes:
                raise ValueError(f"the answer of {url} is larger than {self._max_bytes} bytes")
            if on_progress is not None:
                on_progress(len(body), total)
        return {
            "status": response.status_code,
            "ok": response.is_success,
            "headers": {name: response.headers[name] for name in response.headers},
            "body": bytes(body),
            "url": url,
        }

    def _check(self, url: str, before: str) -> None:
        """`PermissionError` where the game does not allow `url`."""
        try:
            parts = urlsplit(url)
            place = (parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0))
        except ValueError as error:
            raise ValueError(f'"{url}" is no URL: {error}') from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f'{before}"{url}", which is no http or https URL')
        if not any(rule.allows(*place) for rule in self._rules):
            raise PermissionError(f"{before}{_origin(parts)}, which this game does not allow: {self._allowed()}")
        permit = CALLER.get()
        if permit is not None and not permit.may_ask(*place):
            raise PermissionError(f"{before}{permit.refusal('hosts', _origin(parts))}")

    def _allowed(self) -> str:
        allowed = ", ".join(map(str, self._rules))
        return f"allowed is {allowed}" if allowed else "no host is; see http_module(allow=[...])"


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
