"""The host module "http", against a real server on loopback.

Whatever asks the server runs in each loop under Lua 5.5, and under each Lua in a plain loop.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from engine import EngineError, World
from engine.host import http_module
from engine.host.web import Client
from engine.origins import origin
from host_loops import each_loop_and_each_lua
from http_server import Server

pytestmark = pytest.mark.row("E9")


@pytest.fixture
def isolation() -> str:
    """A request knows its entity, however that lives."""
    return "entity"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def ask(make_world: Callable[..., World], scripts: Any, server: Server) -> Callable[..., World]:
    """A world whose one entity runs `body`, with `http` installed and `base`, the server's address."""

    def make(body: str, *, allow: tuple[str, ...] | None = None, **options: Any) -> World:
        scripts.write(
            "asker",
            f"""
            local http = require "http"
            local asker = {{}}
            local base = "{server.url}"
            function asker:start()
              {body}
            end
            return asker
            """,
        )
        world = make_world()
        world.install(http_module([server.url] if allow is None else allow, **options))
        world.spawn("asker")
        return world

    return make


@pytest.mark.row("E4")
@each_loop_and_each_lua
def test_a_page_that_is_there_and_one_that_is_not(play, ask):
    world = ask("""
      local found, missing = http.get(base .. "/hello"), http.get(base .. "/missing")
      print(found.status, found.ok, found.body, found.headers["x-seen"], found.url == base .. "/hello")
      print(missing.status, missing.ok, missing.body)""")

    said = play(world).said(2)

    assert said == ["200\ttrue\thello\tyes\ttrue", "404\tfalse\tnot here"]


@each_loop_and_each_lua
def test_an_answer_in_json_and_a_table_as_body(play, ask, server):
    world = ask("""
      local weather = http.get(base .. "/weather", { json = true }).json
      print(weather.sky, weather.wind[1], weather.wind[2], weather.wind[3])
      http.post(base .. "/echo", { name = "ann" }, { headers = { ["X-Key"] = "k" } })
      http.request("put", base .. "/echo", { body = "raw" })
      print(pcall(http.get, base .. "/hello", { json = true }))""")

    said = play(world).said(2)

    assert said[0] == "clear\t3\tfalse\t4.5"
    assert said[1].startswith("false\thttp.get: JSONDecodeError: Expecting value")
    _, (post, _, headers, body), (put, _, _, raw), _ = server.requests
    assert (post, headers["content-type"], headers["x-key"], body) == (
        "POST",
        "application/json",
        "k",
        b'{"name": "ann"}',
    )
    assert (put, raw) == ("PUT", b"raw")


@each_loop_and_each_lua
def test_without_a_host_that_the_game_allows_every_request_is_refused(play, ask, server):
    world = ask('print(pcall(http.get, base .. "/hello"))', allow=())

    (said,) = play(world).said()

    assert f"PermissionError: {server.url}, which this game does not allow: no host is; see http_module" in said
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/",
        "http://127.0.0.1:1/",
        "https://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@evil.example/",
        "http://evil.example#127.0.0.1:{port}",
    ],
)
@each_loop_and_each_lua
def test_another_host_port_or_scheme_is_refused(play, ask, server, url):
    world = ask(f'print(pcall(http.get, "{url.format(port=server.port)}"))')

    (said,) = play(world).said()

    assert "http.get: PermissionError: " in said
    assert f"allowed is {server.url}" in said
    assert server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "hello", "http://", "http://[bad/"])
@each_loop_and_each_lua
def test_what_is_no_http_url_is_refused(play, ask, url):
    world = ask(f'print(pcall(http.get, "{url}"))')

    (said,) = play(world).said()

    assert "http.get: ValueError: " in said


@each_loop_and_each_lua
def test_a_redirect_is_followed_but_not_to_a_host_that_is_not_allowed(play, ask):
    world = ask("""
      local there = http.get(base .. "/to/|hello")
      print(there.status, there.body, there.url == base .. "/hello")
      print(pcall(http.get, base .. "/to/http:||127.0.0.1:1|secret"))
      print(pcall(http.get, base .. "/to/file:|||etc|passwd"))""")

    said = play(world).said(3)

    assert said[0] == "200\thello\ttrue"
    assert "PermissionError: " in said[1] and "leads to http://127.0.0.1:1, which this game does not allow" in said[1]
    assert "ValueError: " in said[2]


@each_loop_and_each_lua
def test_a_loop_of_redirects_ends(play, ask, server):
    world = ask('print(pcall(http.get, base .. "/round"))', redirects=3)

    (said,) = play(world).said()

    assert said.startswith("false\thttp.get: ConnectionError: GET ")
    assert "more than 3 redirects" in said
    assert len(server.requests) == 4


@each_loop_and_each_lua
def test_a_server_that_never_answers_and_a_body_that_never_ends_are_time_outs(play, ask, server):
    world = ask("""
      print(pcall(http.get, base .. "/never", { timeout = 0.05 }))
      print(pcall(http.get, base .. "/endless", { timeout = 0.05 }))""")

    said = play(world).said(2)

    assert all("TimeoutError: GET " in line and "no whole answer within 0.05 s" in line for line in said)


@each_loop_and_each_lua
def test_a_script_cannot_wait_longer_than_the_game_lets_it(play, ask):
    world = ask('print(pcall(http.get, base .. "/never", { timeout = 1000 }))', timeout=0.05)

    (said,) = play(world).said()

    assert "no whole answer within 0.05 s" in said


@each_loop_and_each_lua
def test_an_answer_that_is_too_big_is_refused_and_one_at_the_limit_arrives(play, ask):
    world = ask(
        """
      print(#http.get(base .. "/big/5000").body)
      print(pcall(http.get, base .. "/big/5001"))
      print(pcall(http.get, base .. "/endless"))""",
        max_bytes=5000,
    )

    said = play(world).said(3)

    assert said[0] == "5000"
    assert all("is larger than 5000 bytes" in line for line in said[1:])


@each_loop_and_each_lua
def test_a_megabyte_arrives_whole(play, ask):
    world = ask('print(#http.get(base .. "/big/1048576").body)')

    assert play(world).said() == ["1048576"]


@each_loop_and_each_lua
def test_nobody_listening_and_half_an_answer_are_connection_errors(play, ask, server):
    taken = socket.socket()  # where nobody listens, and nobody else can
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    world = ask(
        f"""
      print(pcall(http.get, "http://127.0.0.1:{port}/"))
      print(pcall(http.get, base .. "/half"))
      print(pcall(http.get, base .. "/nonsense"))""",
        allow=(server.url, f"http://127.0.0.1:{port}"),
    )

    said = play(world).said(3)
    taken.close()

    assert all("http.get: ConnectionError: GET http://127.0.0.1:" in line for line in said)


@each_loop_and_each_lua
def test_a_server_killed_in_mid_answer_is_a_connection_error(play, ask, server):
    world = ask('print(pcall(http.get, base .. "/endless", { on_progress = function() bus.emit("some") end }))')
    begun: list[object] = []
    world.bus.on("some", begun.append)
    playing = play(world)
    playing.until(lambda: begun)

    server.close()

    assert "http.get: ConnectionError: GET " in playing.said()[0]


@pytest.mark.row("E8")
@each_loop_and_each_lua
def test_cancelling_the_task_closes_the_connection(play, ask, server):
    world = ask("""
      local waiting = task.spawn(http.get, base .. "/endless")
      bus.on("enough", function() task.cancel(waiting) end)""")
    playing = play(world)
    playing.until(lambda: server.requests)

    world.bus.emit("enough")
    playing.until(lambda: server.gone.acquire(blocking=False))

    assert world.stats().calls == 0
    assert world.problems == []


@pytest.mark.row("E12")
@each_loop_and_each_lua
def test_progress_is_told_to_a_function_of_the_script(play, ask):
    world = ask("""
      local told = 0
      local answer = http.get(base .. "/big/300000", { on_progress = function(bytes, total)
        told = told + 1
        self.last = bytes .. "/" .. total
      end })
      print(told > 0, self.last, #answer.body)""")

    assert play(world).said() == ["true\t300000/300000\t300000"]


@each_loop_and_each_lua
def test_secrets_do_not_follow_a_redirect_to_another_host(play, ask, server):
    other = Server()
    target = other.url.replace("/", "|")
    world = ask(
        f"""
      http.get(base .. "/to/|hello", {{ headers = {{ Authorization = "key" }} }})
      http.get(base .. "/to/{target}|hello", {{ headers = {{ Authorization = "key", Accept = "text/plain" }} }})
      print("done")""",
        allow=(server.url, other.url),
    )

    play(world).said()
    other.close()

    assert [headers.get("authorization") for _, _, headers, _ in server.requests] == ["key", "key", "key"]
    ((_, _, headers, _),) = other.requests
    assert "authorization" not in headers
    assert headers["accept"] == "text/plain"


@pytest.mark.parametrize("entry", ["", "http://", "ftp://a.example", "https://a.example/path", "https://u:p@a.example"])
def test_an_entry_of_the_allow_list_that_names_no_host_is_an_error(entry):
    with pytest.raises(EngineError, match="is no host"):
        http_module([entry])


def test_a_star_allows_what_is_below_a_host_but_neither_itself_nor_its_neighbours():
    module = http_module(["*.example.com", "example.org"])
    check = module.functions["get"].function.__self__._check

    check("https://a.example.com/x", "")
    check("https://b.a.example.com/x", "")
    check("https://EXAMPLE.org:443/x", "")
    for url in ("https://example.com/", "https://notexample.com/", "http://example.org/", "https://example.org:444/"):
        with pytest.raises(PermissionError):
            check(url, "")


@each_loop_and_each_lua
def test_a_header_cannot_smuggle_another_request(play, ask, server):
    world = ask('print(pcall(http.get, base .. "/hello", { headers = { X = "a\\r\\nX-Evil: 1" } }))')

    (said,) = play(world).said()
    play(world).frames(1)

    assert said.startswith("false")
    assert server.requests == []


def test_secrets_do_not_follow_a_redirect_that_gives_encryption_up(monkeypatch):
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.scheme, request.headers.get("authorization")))
        if request.url.scheme == "https":
            return httpx.Response(307, headers={"location": "http://a.example/"})
        return httpx.Response(200, stream=httpx.ByteStream(b""))

    monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, transport=httpx.MockTransport(answer)))
    client = Client((origin("a.example"), origin("http://a.example")), timeout=5, max_bytes=1000, redirects=3)
    asyncio.run(client.get("https://a.example/", headers={"Authorization": "key"}))

    assert seen == [("https", "key"), ("http", None)]
