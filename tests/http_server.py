"""A real HTTP server on loopback, whose manners each test chooses by the path."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class Server:
    """Answers on a thread of its own. `requests` are the request lines and headers that came, `gone` counts clients
    that closed the connection before their answer was whole."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.gone = threading.Semaphore(0)
        self.ready = threading.Event()
        self._clients: dict[Writer, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="http-server")
        self._thread.start()
        self.ready.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop at once, also in the middle of an answer."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self._stop.wait()
        self._loop.remove_reader(server.sockets[0])
        for _ in range(5):  # asyncio loses the sockets of those who have come and were not let in before it closes
            await asyncio.sleep(0)
            for writer in self._clients:
                writer.transport.abort()
        server.close()

    def _connected(self, reader: Reader, writer: Writer) -> None:
        self._clients[writer] = asyncio.create_task(self._client(reader, writer))

    async def _client(self, reader: Reader, writer: Writer) -> None:
        try:
            line = (await reader.readline()).decode()
            if not line:  # a client whose time was over before it asked
                raise ConnectionResetError
            method, target, _ = line.split(" ")
            headers = {}
            while row := (await reader.readline()).decode().strip():
                name, _, value = row.partition(": ")
                headers[name.lower()] = value
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((method, target, headers, body))
            await self._manners(target)(writer)
            await writer.drain()
        except (ConnectionError, EOFError):
            self.gone.release()
        finally:
            writer.close()

    def _manners(self, target: str) -> Callable[[Writer], Awaitable[None]]:
        async def answer(writer: Writer) -> None:
            match target.strip("/").split("/"):
                case ["missing"]:
                    self._whole(writer, 404, b"not here")
                case ["weather"]:
                    self._whole(writer, 200, json.dumps({"sky": "clear", "wind": [3, None, 4.5]}).encode())
                case ["echo"]:
                    self._whole(writer, 200, json.dumps(self.requests[-1][:3:2]).encode() + self.requests[-1][3])
                case ["big", size]:
                    self._whole(writer, 200, b"x" * int(size))
                case ["never"]:
                    await self._until_gone(writer, b"")
                case ["endless"]:
                    await self._until_gone(writer, b"x" * 200)
                case ["half"]:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
                case ["nonsense"]:
                    writer.write(b"what?\r\n\r\n")
                case ["round"]:
                    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\n\r\n")
                case ["to", *where]:
                    place = "/".join(where).replace("|", "/")
                    writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
                case _:
                    self._whole(writer, 200, b"hello")

        return answer

    def _whole(self, writer: Writer, status: int, body: bytes) -> None:
        writer.write(f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\nX-Seen: yes\r\n\r\n".encode() + body)

    async def _until_gone(self, writer: Writer, part: bytes) -> None:
        """Begin an answer and send `part` over and over, until the client goes."""
        if part:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            if part:
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await writer.drain()
            await asyncio.sleep(0.005)
            if writer.transport.get_extra_info("socket") is None:
                break
        self.gone.release()
