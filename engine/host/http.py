"""The host module "http": requests to the hosts that the game allows, and to no other."""

from __future__ import annotations

from collections.abc import Iterable

from engine.checks import check_count, check_measure
from engine.errors import EngineError
from engine.host.module import HostModule
from engine.origins import Origin, origin

REDIRECTS = 5


def http_module(
    allow: Iterable[str] = (), *, timeout: float = 10.0, max_bytes: int = 1024 * 1024, redirects: int = REDIRECTS
) -> HostModule:
    """`http.get(url, options)`, `http.post(url, body, options)` and `http.request(method, url, options)`.

    `allow` names the hosts: "api.example.com" (by https), "*.example.com", "http://127.0.0.1:8080". With none, which
    is the default, every request is refused. A request may take `timeout` seconds in all, its answer `max_bytes`.
    Needs the extra `http`.
    """
    try:
        from engine.host.web import Client  # here, so that a game without it loads neither httpx nor asyncio
    except ImportError as error:
        raise EngineError('the host module "http" needs httpx: pip install "tidelock[http]"') from error

    if isinstance(allow, str | bytes) or not isinstance(allow, Iterable):
        raise EngineError(f'http: allow must be a list of hosts, as in allow=["api.example.com"], got {allow!r}')
    check_measure("http: timeout", timeout)
    check_count("http: max_bytes", max_bytes)
    check_count("http: redirects", redirects)
    client = Client(tuple(_allowed(entry) for entry in allow), timeout, max_bytes, redirects)
    module = HostModule("http", doc="Requests to other machines.", payload=max_bytes + 256 * 1024)
    for function in (client.get, client.post, client.request):
        module.coroutine(function)
    return module


def _allowed(entry: str) -> Origin:
    try:
        return origin(entry)
    except EngineError as error:
        raise EngineError(f"http: {error}") from None
