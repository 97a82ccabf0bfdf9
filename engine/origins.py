"""Which machines may be asked: "api.example.com", "*.example.com", "http://127.0.0.1:8080"."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from engine.errors import EngineError

PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """One host that may be asked. A `host` that begins with "*." stands for all below it."""

    scheme: str
    host: str
    port: int

    def allows(self, scheme: str, host: str, port: int) -> bool:
        if (self.scheme, self.port) != (scheme, port):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def origin(entry: str) -> Origin:
    """What `entry` names: https, and its port, where it does not say anything else. `EngineError` for no host."""
    if not isinstance(entry, str):
        raise EngineError(_no_host(repr(entry)))
    try:
        parts = urlsplit(entry if "://" in entry else f"https://{entry}")
        port = parts.port
    except ValueError:
        raise EngineError(_no_host(entry)) from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise EngineError(_no_host(entry))
    return Origin(parts.scheme, parts.hostname, port or PORTS[parts.scheme])


def _no_host(entry: str) -> str:
    return f'"{entry}" is no host; write "api.example.com" or "http://127.0.0.1:8080"'
