"""Parses Lua expressions; `parser` adds the statements."""

from __future__ import annotations

from typing import NoReturn

from engine.reading.lexer import LuaSyntaxError, Token, tokens
from engine.reading.syntax import Call, Constant, Field, Function, Index, Name, Node, Number, Operation, String, Table

# Left and right binding power, as in Lua's manual; right below left binds to the right.
_BINARY = {
    "or": (1, 1), "and": (2, 2), "<": (3, 3), ">": (3, 3), "<=": (3, 3), ">=": (3, 3), "~=": (3, 3), "==": (3, 3),
    "|": (4, 4), "~": (5, 5), "&": (6, 6), "<<": (7, 7), ">>": (7, 7), "..": (9, 8), "+": (10, 10), "-": (10, 10),
    "*": (11, 11), "/": (11, 11), "//": (11, 11), "%": (11, 11), "^": (14, 13),
}  # fmt: skip
_UNARY = {"not", "#", "-", "~"}
_UNARY_POWER = 12
_DEPTH = 190  # Lua itself stops at 200


class Expressions:
    """Reads expressions from the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0

    def block(self) -> list[Node]:
        raise NotImplementedError

    # Tokens.

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    @property
    def following(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self._at += token.kind != "end"
        return token

    def at(self, *texts: str) -> bool:
        return self.token.kind in ("op", "keyword") and self.token.text in texts

    def accept(self, text: str) -> Token | None:
        return self.take() if self.at(text) else None

    def expect(self, text: str) -> Token:
        if not self.at(text):
            self.fail(f"{text!r} expected near {self.token.text!r}")
        return self.take()

    def name(self) -> Name:
        if self.token.kind != "name":
            self.fail(f"a name expected near {self.token.text!r}")
        token = self.take()
        return Name(token.line, token.column, token.text)

    def fail(self, message: str) -> NoReturn:
        raise LuaSyntaxError(message, self.token.line, self.token.column)

    # Expressions.

    def expressions(self) -> list[Node]:
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        return found

    def expression(self, power: int = 0) -> Node:
        self._depth += 1
        if self._depth > _DEPTH:
            self.fail("nested too deeply")
        token = self.token
        if self.at(*_UNARY):
            self.take()
            left: Node = Operation(token.line, token.column, token.text, [self.expression(_UNARY_POWER)])
        else:
            left = self.simple()
        while self.token.kind in ("op", "keyword") and _BINARY.get(self.token.text, (0, 0))[0] > power:
            operator = self.take()
            right = self.expression(_BINARY[operator.text][1])
            left = Operation(operator.line, operator.column, operator.text, [left, right])
        self._depth -= 1
        return left

    def simple(self) -> Node:
        token = self.token
        if token.kind == "string":
            self.take()
            return String(token.line, token.column, token.text)
        if token.kind == "number":
            self.take()
            return Number(token.line, token.column, token.text)
        if self.at("nil", "true", "false", "..."):
            self.take()
            return Constant(token.line, token.column, token.text)
        if self.at("{"):
            return self.table()
        if self.accept("function"):
            return self.function(token)
        return self.suffixed()

    def suffixed(self) -> Node:
        """A name or something in parentheses, with all the indexing and calling that follows."""
        if opened := self.accept("("):
            inner = self.expression()
            self.expect(")")
            found: Node = Operation(opened.line, opened.column, "()", [inner])
        elif self.token.kind == "name":
            found = self.name()
        else:
            self.fail(f"unexpected {self.token.text!r}")
        while True:
            if self.accept("."):
                key = self.name()
                found = Index(key.line, key.column, found, String(key.line, key.column, key.name))
            elif opened := self.accept("["):
                found = Index(opened.line, opened.column, found, self.expression())
                self.expect("]")
            elif self.accept(":"):
                method = self.name()
                found = Call(method.line, method.column, found, method, self.arguments())
            elif self.at("(", "{") or self.token.kind == "string":
                found = Call(found.line, found.column, found, None, self.arguments())
            else:
                return found

    def arguments(self) -> list[Node]:
        token = self.token
        if token.kind == "string":
            self.take()
            return [String(token.line, token.column, token.text)]
        if self.at("{"):
            return [self.table()]
        self.expect("(")
        if self.accept(")"):
            return []
        found = self.expressions()
        self.expect(")")
        return found

    def table(self) -> Table:
        opened = self.expect("{")
        entries = []
        while not self.at("}"):
            entries.append(self.field())
            if not (self.accept(",") or self.accept(";")):
                break
        self.expect("}")
        return Table(opened.line, opened.column, entries)

    def field(self) -> Field:
        token = self.token
        if self.accept("["):
            key = self.expression()
            self.expect("]")
            self.expect("=")
            return Field(token.line, token.column, key, self.expression())
        if token.kind == "name" and self.following.text == "=" and self.following.kind == "op":
            self.take()
            self.take()
            return Field(token.line, token.column, String(token.line, token.column, token.text), self.expression())
        return Field(token.line, token.column, None, self.expression())

    def function(self, opened: Token) -> Function:
        """What follows the word `function` and a name."""
        self.expect("(")
        parameters: list[Name] = []
        variadic, rest = False, None
        while not self.at(")"):
            if self.accept("..."):
                variadic = True
                rest = self.name() if self.token.kind == "name" else None
                break
            parameters.append(self.name())
            if not self.accept(","):
                break
        self.expect(")")
        body = self.block()
        self.expect("end")
        return Function(opened.line, opened.column, parameters, variadic, rest, body)
