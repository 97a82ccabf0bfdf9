"""The host module "http", against a real server on loopback."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine import EngineError, World
from engine.host import http_module
from helpers import ticks
from host_loops import LOOPS, Plain, player, printed
from http_server import Server

pytestmark = pytest.mark.row("E9")


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


def answers(world: World, count: int = 1) -> list[str]:
    """What the script printed, once there are so many lines."""
    Plain(world).until(lambda: len(printed(world)) >= count or world.problems)
    return printed(world)


@pytest.mark.row("E4")
@pytest.mark.parametrize("loop", LOOPS)
def test_a_page_that_is_there_and_one_that_is_not(ask, loop):
    world = ask("""
      local found, missing = http.get(base .. "/hello"), http.get(base .. "/missing")
      print(found.status, found.ok, found.body, found.headers["x-seen"], found.url == base .. "/hello")
      print(missing.status, missing.ok, missing.body)""")
    playing = player(loop, world)

    playing.until(lambda: len(printed(world)) == 2)
    playing.close()

    assert printed(world) == ["200\ttrue\thello\tyes\ttrue", "404\tfalse\tnot here"]


def test_an_answer_in_json_and_a_table_as_body(ask, server):
    world = ask("""
      local weather = http.get(base .. "/weather", { json = true }).json
      print(weather.sky, weather.wind[1], weather.wind[2], weather.wind[3])
      http.post(base .. "/echo", { name = "ann" }, { headers = { ["X-Key"] = "k" } })
      http.request("put", base .. "/echo", { body = "raw" })
      print(pcall(http.get, base .. "/hello", { json = true }))""")

    said = answers(world, 2)

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


def test_without_a_host_that_the_game_allows_every_request_is_refused(ask, server):
    world = ask('print(pcall(http.get, base .. "/hello"))', allow=())

    (said,) = answers(world)

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
def test_another_host_port_or_scheme_is_refused(ask, server, url):
    world = ask(f'print(pcall(http.get, "{url.format(port=server.port)}"))')

    (said,) = answers(world)

    assert "http.get: PermissionError: " in said
    assert f"allowed is {server.url}" in said
    assert server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "hello", "http://", "http://[bad/"])
def test_what_is_no_http_url_is_refused(ask, url):
    world = ask(f'print(pcall(http.get, "{url}"))')

    (said,) = answers(world)

    assert "http.get: ValueError: " in said


def test_a_redirect_is_followed_but_not_to_a_host_that_is_not_allowed(ask):
    world = ask("""
      local there = http.get(base .. "/to/|hello")
      print(there.status, there.body, there.url == base .. "/hello")
      print(pcall(http.get, base .. "/to/http:||127.0.0.1:1|secret"))
      print(pcall(http.get, base .. "/to/file:|||etc|passwd"))""")

    said = answers(world, 3)

    assert said[0] == "200\thello\ttrue"
    assert "PermissionError: " in said[1] and "leads to http://127.0.0.1:1, which this game does not allow" in said[1]
    assert "ValueError: " in said[2]


def test_a_loop_of_redirects_ends(ask, server):
    world = ask('print(pcall(http.get, base .. "/round"))', redirects=3)

    (said,) = answers(world)

    assert said.startswith("false\thttp.get: ConnectionError: GET ")
    assert "more than 3 redirects" in said
    assert len(server.requests) == 4


def test_a_server_that_never_answers_and_a_body_that_never_ends_are_time_outs(ask, server):
    world = ask("""
      print(pcall(http.get, base .. "/never", { timeout = 0.05 }))
      print(pcall(http.get, base .. "/endless", { timeout = 0.05 }))""")

    said = answers(world, 2)

    assert all("TimeoutError: GET " in line and "no whole answer within 0.05 s" in line for line in said)


def test_a_script_cannot_wait_longer_than_the_game_lets_it(ask):
    world = ask('print(pcall(http.get, base .. "/never", { timeout = 1000 }))', timeout=0.05)

    (said,) = answers(world)

    assert "no whole answer within 0.05 s" in said


def test_an_answer_that_is_too_big_is_refused_and_one_at_the_limit_arrives(ask):
    world = ask(
        """
      print(#http.get(base .. "/big/5000").body)
      print(pcall(http.get, base .. "/big/5001"))
      print(pcall(http.get, base .. "/endless"))""",
        max_bytes=5000,
    )

    said = answers(world, 3)

    assert said[0] == "5000"
    assert all("is larger than 5000 bytes" in line for line in said[1:])


def test_a_megabyte_arrives_whole(ask):
    world = ask('print(#http.get(base .. "/big/1048576").body)')

    assert answers(world) == ["1048576"]


def test_nobody_listening_and_half_an_answer_are_connection_errors(ask, server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = ask(
        f"""
      print(pcall(http.get, "http://127.0.0.1:{port}/"))
      print(pcall(http.get, base .. "/half"))
      print(pcall(http.get, base .. "/nonsense"))""",
        allow=(server.url, f"http://127.0.0.1:{port}"),
    )

    said = answers(world, 3)

    assert all("http.get: ConnectionError: GET http://127.0.0.1:" in line for line in said)


def test_a_server_killed_in_mid_answer_is_a_connection_error(ask, server):
    world = ask('print(pcall(http.get, base .. "/endless", { on_progress = function() bus.emit("some") end }))')
    begun: list[object] = []
    world.bus.on("some", begun.append)
    playing = Plain(world)
    playing.until(lambda: begun)

    server.close()

    assert "http.get: ConnectionError: GET " in answers(world)[0]


@pytest.mark.row("E8")
def test_cancelling_the_task_closes_the_connection(ask, server):
    world = ask("""
      local waiting = task.spawn(http.get, base .. "/endless")
      bus.on("enough", function() task.cancel(waiting) end)""")
    playing = Plain(world)
    playing.until(lambda: server.requests)

    world.bus.emit("enough")
    playing.until(lambda: world.stats().calls == 0)

    assert server.gone.acquire(timeout=10)


@pytest.mark.row("E12")
def test_progress_is_told_to_a_function_of_the_script(ask):
    world = ask("""
      local told = 0
      local answer = http.get(base .. "/big/300000", { on_progress = function(bytes, total)
        told = told + 1
        self.last = bytes .. "/" .. total
      end })
      print(told > 0, self.last, #answer.body)""")

    assert answers(world) == ["true\t300000/300000\t300000"]


def test_secrets_do_not_follow_a_redirect_to_another_host(ask, server):
    other = Server()
    target = other.url.replace("/", "|")
    world = ask(
        f"""
      http.get(base .. "/to/|hello", {{ headers = {{ Authorization = "key" }} }})
      http.get(base .. "/to/{target}|hello", {{ headers = {{ Authorization = "key", Accept = "text/plain" }} }})
      print("done")""",
        allow=(server.url, other.url),
    )

    answers(world)
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


def test_a_header_cannot_smuggle_another_request(ask, server):
    world = ask('print(pcall(http.get, base .. "/hello", { headers = { X = "a\\r\\nX-Evil: 1" } }))')

    (said,) = answers(world)
    ticks(world, 1)

    assert said.startswith("false")
    assert server.requests == []
