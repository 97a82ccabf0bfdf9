"""Parses Lua text into `syntax` nodes."""

from __future__ import annotations

from engine.reading.expressions import Expressions
from engine.reading.syntax import (
    Assignment,
    Block,
    Call,
    Definition,
    Global,
    Index,
    Local,
    Name,
    Node,
    Repeat,
    Return,
    String,
)


def parse(text: str) -> list[Node]:
    """The statements of a script; `LuaSyntaxError` says where it is no Lua."""
    parser = Parser(text)
    body = parser.block()
    if parser.token.kind != "end":
        parser.fail(f"unexpected {parser.token.text!r}")
    return body


class Parser(Expressions):
    """Reads the statements of one text."""

    def block(self) -> list[Node]:
        body: list[Node] = []
        while not self.at("end", "else", "elseif", "until") and self.token.kind != "end":
            if self.at("return"):
                body.append(self._return())
                break
            body += self._statement()
        return body

    def _return(self) -> Return:
        token = self.expect("return")
        ends = self.at("end", "else", "elseif", "until", ";") or self.token.kind == "end"
        values = [] if ends else self.expressions()
        self.accept(";")
        return Return(token.line, token.column, values)

    def _statement(self) -> list[Node]:
        word = self.token.text if self.token.kind == "keyword" else ""
        if self.accept(";") or self.accept("break"):
            return []
        if self.accept("::"):
            self.name()
            self.expect("::")
            return []
        if word == "goto":
            self.take()
            self.name()
            return []
        known = {
            "local": self._local,
            "function": self._function,
            "if": self._if,
            "for": self._for,
            "while": self._while,
            "do": self._do,
            "repeat": self._repeat,
        }.get(word)
        if known is not None:
            return known()
        if self.token.text == "global" and (
            self.following.kind == "name" or self.following.text in ("function", "*", "<")
        ):
            return self._global()
        return [self._expression_statement()]

    def _expression_statement(self) -> Node:
        first = self.suffixed()
        if self.at("=", ","):
            targets = [first]
            while self.accept(","):
                targets.append(self.suffixed())
            self.expect("=")
            return Assignment(first.line, first.column, targets, self.expressions())
        if not isinstance(first, Call):
            self.fail(f"syntax error near {self.token.text!r}")
        return first

    def _names(self) -> list[Name]:
        names = []
        self._attribute()
        while True:
            names.append(self.name())
            self._attribute()
            if not self.accept(","):
                return names

    def _attribute(self) -> None:
        if self.accept("<"):
            self.name()
            self.expect(">")

    def _local(self) -> list[Node]:
        token = self.take()
        if self.accept("function"):
            name = self.name()
            return [Definition(token.line, token.column, name, False, True, self.function(token))]
        names = self._names()
        return [Local(token.line, token.column, names, self.expressions() if self.accept("=") else [])]

    def _global(self) -> list[Node]:
        token = self.take()
        if self.accept("function"):
            name = self.name()
            declared = Global(token.line, token.column, [name], [])
            return [declared, Definition(token.line, token.column, name, False, False, self.function(token))]
        if self.at("<") or self.accept("*"):
            self._attribute()
            if self.accept("*") or self.token.kind != "name":
                return []
        names = self._names()
        return [Global(token.line, token.column, names, self.expressions() if self.accept("=") else [])]

    def _function(self) -> list[Node]:
        token = self.take()
        target: Node = self.name()
        method = False
        while self.at(".", ":") and not method:
            method = self.take().text == ":"
            key = self.name()
            target = Index(key.line, key.column, target, String(key.line, key.column, key.name))
        return [Definition(token.line, token.column, target, method, False, self.function(token))]

    def _if(self) -> list[Node]:
        branches: list[Node] = []
        while True:
            token = self.take()
            conditions = [] if token.text == "else" else [self.expression()]
            if conditions:
                self.expect("then")
            branches.append(Block(token.line, token.column, [], conditions, self.block()))
            if token.text == "else" or not self.at("else", "elseif"):
                self.expect("end")
                return branches

    def _for(self) -> list[Node]:
        token = self.take()
        names = self._names()
        if not self.accept("="):
            self.expect("in")
        values = self.expressions()
        return [self._loop(token.line, token.column, names, values)]

    def _while(self) -> list[Node]:
        token = self.take()
        return [self._loop(token.line, token.column, [], [self.expression()])]

    def _loop(self, line: int, column: int, names: list[Name], values: list[Node]) -> Block:
        self.expect("do")
        body = self.block()
        self.expect("end")
        return Block(line, column, names, values, body)

    def _do(self) -> list[Node]:
        token = self.take()
        body = self.block()
        self.expect("end")
        return [Block(token.line, token.column, [], [], body)]

    def _repeat(self) -> list[Node]:
        token = self.take()
        body = self.block()
        self.expect("until")
        return [Repeat(token.line, token.column, body, self.expression())]
