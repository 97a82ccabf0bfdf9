"""Frames of flat values over a socket, between the game and a child process.

A frame is four bytes of length and one msgpack array. The child may be in anyone's hands, so nothing that it sends is
more than data, and no frame of it is longer than it must be.
"""

from __future__ import annotations

import select
import socket
from time import monotonic
from typing import Any

from engine.errors import EngineError

MOST = 256 * 1024 * 1024
"""Bytes that the other side may say before it is heard out: far above what the outboxes of its states hold."""

_HEAD = 4
_CHUNK = 1 << 18

Frame = tuple[Any, ...]


class Refused(Exception):
    """The other side said what no state says."""


def library() -> Any:
    """msgpack, which only games with child processes need."""
    try:
        import msgpack
    except ImportError as error:
        raise EngineError('isolation "process" needs msgpack: pip install "tidelock[process]"') from error
    return msgpack


class Link:
    """One end of a socket. `until` is a time of `monotonic()`: past it, reading and writing raise `TimeoutError`."""

    def __init__(self, channel: socket.socket, most: int = MOST) -> None:
        packing = library()
        self._channel = channel
        self._pack = packing.Packer(use_bin_type=True).pack
        self._unpack = packing.unpackb
        self._held = bytearray()
        self._most = self._left = most
        self.until: float | None = None

    def expect(self) -> None:
        """A new answer begins: it may be as long as any."""
        self._left = self._most

    def write(self, *frame: Any) -> None:
        body = self._pack(frame)
        self._hurry()
        self._channel.sendall(len(body).to_bytes(_HEAD, "little") + body)

    def read(self) -> Frame:
        """The next frame; `EOFError` when the other side is gone."""
        held = self._held
        size = -1
        while True:
            if size < 0 and len(held) >= _HEAD:
                size = int.from_bytes(held[:_HEAD], "little")
                self._left -= size
                if self._left < 0:
                    raise Refused(f"more than {self._most:,} bytes at once")
            if 0 <= size <= len(held) - _HEAD:
                body = bytes(held[_HEAD : _HEAD + size])
                del held[: _HEAD + size]
                return self._frame(body)
            self._hurry()
            more = self._channel.recv(_CHUNK)
            if not more:
                raise EOFError
            held += more

    def waiting(self) -> bool:
        """True where the other side said something, or is gone."""
        return bool(self._held) or bool(select.select([self._channel], [], [], 0)[0])

    def close(self) -> None:
        self._channel.close()

    def _frame(self, body: bytes) -> Frame:
        try:
            frame = self._unpack(body, use_list=False, raw=True, max_ext_len=0, max_map_len=0)
        except Exception as error:  # msgpack's own errors have no common base
            raise Refused(f"no frame: {error}") from error
        if type(frame) is not tuple or not frame:
            raise Refused("no frame")
        return frame

    def _hurry(self) -> None:
        if self.until is None:
            self._channel.settimeout(None)
            return
        left = self.until - monotonic()
        if left <= 0:
            raise TimeoutError
        self._channel.settimeout(left)
