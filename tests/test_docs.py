"""Every code block of the README and the docs works, and the commands are the ones CI runs."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.annotations.stubs import by_name
from engine.display import FIELDS
from engine.hooks import HOOKS
from helpers import ScriptFolder, run_child

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
COMMANDS = ["pip install -e . && python demo.py", 'pip install -e ".[test]" && pytest']

FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)")
SCRIPT = re.compile(r"-- scripts/(?P<name>[\w/-]+)\.lua\b")
MANIFEST = re.compile(r"# scripts/(?P<name>[\w/-]+/mod\.toml)\b")


class Block(NamedTuple):
    """One fenced block: `line` is that of its first line of code in the page."""

    language: str
    flags: list[str]
    line: int
    code: str


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_the_readme_shows_a_script_and_the_python_around_it():
    languages = {block.language for block in blocks(text_of(ROOT / "README.md"))}

    assert {"python", "lua"} <= languages


@pytest.mark.parametrize("command", COMMANDS)
def test_ci_runs_the_commands_of_the_readme(command):
    assert command in text_of(ROOT / "README.md")
    assert command in text_of(ROOT / ".ci/run")


def test_the_scripting_page_has_all_that_scripts_can_call():
    page = text_of(ROOT / "docs/scripting.md")
    calls = {name for name in by_name() if not name.startswith(("Script:", "Future:", "Subscription:"))}

    assert [name for name in sorted(calls) if f"`{name}" not in page] == []
    assert [hook for hook in HOOKS if f"| `{hook}(" not in page] == []
    assert [field for field in FIELDS if f"`{field}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_run(page, tmp_path):
    page_blocks = blocks(text_of(page))
    write_scripts(page_blocks, ScriptFolder(tmp_path / "scripts"))
    (tmp_path / page.name).write_text(program(page_blocks), encoding="utf-8")

    run_child(f"import runpy; runpy.run_path({page.name!r}, run_name='__main__')", cwd=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_that_do_not_run_still_compile(page):
    for block in blocks(text_of(page)):
        if block.language == "python" and "no-run" in block.flags:
            source = "\n" * (block.line - 1) + block.code
            compile(source, name_of(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lua_blocks_compile(page, lua):
    load = importlib.import_module(f"lupa.{lua}").LuaRuntime().eval("loadstring or load")

    for block in blocks(text_of(page)):
        if block.language == "lua" and "no-compile" not in block.flags:
            chunk = load("\n" * (block.line - 1) + block.code, f"@{name_of(page)}")
            assert not isinstance(chunk, tuple), chunk[1]


def test_blocks_are_found_with_their_flags_lines_and_indentation():
    page = "Text\n```python no-run\na\n```\n"
    page += "- item\n  ```lua\n  if b then\n    c()\n  end\n  ```\n"
    page += "````console\n```\n````"

    assert blocks(page) == [
        Block("python", ["no-run"], 3, "a\n"),
        Block("lua", [], 7, "if b then\n  c()\nend\n"),
        Block("console", [], 12, "```\n"),
    ]


def test_a_block_that_never_ends_is_an_error():
    with pytest.raises(AssertionError, match="line 2"):
        blocks("Text\n```python\na\n")


def test_the_program_of_a_page_keeps_its_line_numbers():
    page = "Text\n```python\na = 1\n```\nMore\n```python no-run\nb\n```\n```python\nc = a\n```\n"

    assert program(blocks(page)).split("\n") == ["", "", "a = 1", "", "", "", "", "", "", "c = a", ""]


def test_lua_blocks_that_name_a_script_are_written(scripts):
    page = "```lua\n-- scripts/door.lua: opens.\nreturn {}\n```\n```lua\nwait(2)\n```\n"

    write_scripts(blocks(page), scripts)

    assert [file.name for file in scripts.path.iterdir()] == ["door.lua"]
    assert (scripts.path / "door.lua").read_text() == "-- scripts/door.lua: opens.\nreturn {}\n"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order, without the indentation of their fence."""
    return list(_blocks(enumerate(page.splitlines(), start=1)))


def _blocks(lines: Iterator[tuple[int, str]]) -> Iterator[Block]:
    for number, line in lines:
        if fence := FENCE.fullmatch(line):
            language, *flags = fence["info"].split() or [""]
            code = list(_until_closed(lines, fence, number))
            yield Block(language, flags, number + 1, "".join(f"{text}\n" for text in code))


def _until_closed(lines: Iterator[tuple[int, str]], fence: re.Match[str], opened: int) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == fence["ticks"]:
            return
        yield line.removeprefix(fence["indent"])
    raise AssertionError(f"the block opened in line {opened} is never closed")


def program(page_blocks: list[Block]) -> str:
    """The runnable Python of a page, each block in the lines where it stands, so that tracebacks fit."""
    lines: list[str] = []
    for block in page_blocks:
        if block.language == "python" and "no-run" not in block.flags:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.code.splitlines()
    return "\n".join([*lines, ""])


def write_scripts(page_blocks: list[Block], scripts: ScriptFolder) -> None:
    """Save each block that begins with its file's name: `-- scripts/door.lua`, `# scripts/mods/frost/mod.toml`."""
    for block in page_blocks:
        if block.language == "lua" and (named := SCRIPT.match(block.code)):
            scripts.write(named["name"], block.code)
        elif block.language == "toml" and (named := MANIFEST.match(block.code)):
            file = scripts.path / named["name"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code, encoding="utf-8")
