"""Compiles scripts under every version of Lua at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.check.finding import Report
from engine.limits import Limits
from engine.lua.state import LuaState
from engine.reading.lexer import LuaSyntaxError, Token, tokens
from engine.reading.parser import parse
from engine.scripts import Source

_PLACE = re.compile(r"^[^\n]*?:(\d+): (.*)$", re.DOTALL)
_NEAR = re.compile(r"near '?(.+?)'?$")
_ELSE_IF = re.compile(r"\s*else\s+if\b")
_OPENED = re.compile(r"\(to close '(\w+)' at line (\d+)\)")

# What people write who come from another language: a pattern in the line, and what Lua says instead.
_FOREIGN = (
    (r"!=", 'write "~=" for "is not"'),
    (r"\+\+|--\s*;", "write x = x + 1"),
    (r"[-+*/]=", "write x = x + 1: Lua has no +="),
    (r"\belse\s+if\b", 'write "elseif" in one word'),
    (r"\belif\b", 'write "elseif"'),
    (r"&&", 'write "and"'),
    (r"\|\|", 'write "or"'),
    (r"!\s*\w", 'write "not"'),
    (r"\bcontinue\b", "Lua has no continue; put the rest of the loop into an if"),
    (r"^\s*(if|elseif)\b(?!.*\bthen\b)", 'write "then" after the condition'),
    (r"^\s*(if|elseif|while|until)\b.*[^=~<>]=[^=]", 'write "==" to compare'),
    (r"^\s*(for|while)\b(?!.*\bdo\b)", 'write "do" after the head of the loop'),
    (r"^\s*(def|fn|func)\b", 'write "function"'),
)


class Compilers:
    """A state of each version; close it after use."""

    def __init__(self, versions: Iterable[str]) -> None:
        limits = Limits(instructions=None, seconds=None, memory=None, payload=16 * 1024 * 1024)
        self._states = {lua: LuaState(lua, limits=limits) for lua in versions}

    def close(self) -> None:
        for state in self._states.values():
            state.close()

    def check(self, source: Source, own: str, report: Report) -> bool:
        """Report what does not compile; False where no version, or not the game's own, takes the script."""
        failures = {lua: failure for lua in self._states if (failure := self._compile(lua, source))}
        text = source.text.decode()
        if own in failures:
            _report(failures[own], text, report)
            return False
        if failures:
            failure = next(iter(failures.values()))
            line, words = _place(failure)
            good = " and ".join(version for version in self._states if version not in failures)
            message = f"does not compile on {' and '.join(failures)}: {words}"
            advice = f"fine if the game only runs on {good}"
            report.add(line, _column(text, line, words), "warning", "version", message, advice)
        return True

    def _compile(self, lua: str, source: Source) -> str:
        """Lua's words about what is wrong; empty where it compiles."""
        answer = self._states[lua].call("load", source.text, b"@" + source.chunk.encode())
        return str(answer[1]) if isinstance(answer, tuple) and answer[1] is not None else ""


def _report(failure: str, text: str, report: Report) -> None:
    line, words = _place(failure)
    opened = _OPENED.search(words)
    column, hint = _column(text, line, words), _hint(text, line)
    if words.startswith("unfinished string"):
        hint = f"close it with {_row(text, line)[column - 1 : column]}"
    elif words.startswith("unfinished long"):
        hint = "close it with ]]"
    elif "near <eof>" in words:
        hint = hint or _unclosed(text)
    elif opened:
        hint = hint or f'the "{opened[1]}" of line {opened[2]} has no "end"'
    elif "'<eof>' expected near 'end'" in words:
        hint = hint or 'there is one "end" too many before this place'
    report.add(line, column, "error", "syntax", words, hint)


def _place(failure: str) -> tuple[int, str]:
    found = _PLACE.match(failure)
    return (int(found[1]), found[2]) if found else (1, failure)


def _column(text: str, line: int, words: str) -> int:
    """Where in its line an error is: where our own parser stops, else the token that Lua names."""
    try:
        parse(text)
    except LuaSyntaxError as error:
        if error.line == line:
            return error.column
    except RecursionError:
        pass
    named = _NEAR.search(words)
    row = _row(text, line)
    at = row.find(named[1]) if named else -1
    return at + 1 if at >= 0 else len(row) - len(row.lstrip()) + 1


def _hint(text: str, line: int) -> str:
    for number in (line, line - 1):
        row = re.sub(r'"[^"]*"|--.*', "", _row(text, number))
        for pattern, advice in _FOREIGN:
            if re.search(pattern, row):
                return advice if number == line else f"look at line {number}: {advice}"
    return ""


def _unclosed(text: str) -> str:
    """Names the block without an end: where the next end stands further left, else the innermost open one."""
    opened: list[Token] = []
    loop = False
    for token in _tokens_of(text):
        if token.kind != "keyword":
            continue
        if token.text in ("end", "until") and opened:
            if _starts_line(text, token) and token.column <= _indent(text, opened[-1].line):
                break
            opened.pop()
        elif token.text in ("function", "if", "repeat", "for", "while") or (token.text == "do" and not loop):
            opened.append(token)
        loop = (loop or token.text in ("for", "while")) and token.text != "do"
    if not opened:
        return ""
    advice = f'the "{opened[-1].text}" of line {opened[-1].line} has no "end"'
    split = next((number for number, row in enumerate(text.split("\n"), 1) if _ELSE_IF.match(row)), None)
    return f'{advice}; or did you mean "elseif" in line {split}?' if split else advice


def _indent(text: str, line: int) -> int:
    row = _row(text, line)
    return len(row) - len(row.lstrip())


def _starts_line(text: str, token: Token) -> bool:
    return _indent(text, token.line) == token.column - 1


def _tokens_of(text: str) -> list[Token]:
    try:
        return list(tokens(text))
    except LuaSyntaxError:
        return []


def _row(text: str, line: int) -> str:
    rows = text.split("\n")
    return rows[line - 1] if 0 < line <= len(rows) else ""
