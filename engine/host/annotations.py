"""Annotations of host modules for the language server of an editor, from signatures and docstrings."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from engine.host.kinds import annotation
from engine.words import KEYWORDS

if TYPE_CHECKING:
    from engine.host.module import HostFunction, HostModule


def lua_annotations(module: HostModule) -> str:
    """The text of a `---@meta` file for `require "name"`."""
    local = _name(module.name.replace(".", "_"))
    head = [f"---@meta {module.name}", "", *_comment(module.doc), f"local {local} = {{}}"]
    bodies = ["\n".join(_function(local, function)) for function in module.functions.values()]
    return "\n\n".join(["\n".join(head), *bodies, f"return {local}"]) + "\n"


def _function(local: str, function: HostFunction) -> list[str]:
    lines = _comment(inspect.getdoc(function.function) or "")
    if function.kind != "function":
        lines.append("---@async")
    signature = function.signature
    names = []
    for parameter in signature.positional:
        names.append(_name(parameter.name))
        lines.append(_parameter(parameter))
    if signature.options:
        names.append("options")
        lines += _options(signature.options)
    if signature.rest is not None:
        names.append("...")
        lines.append(f"---@param ... {annotation(signature.rest)}")
    if signature.result is not type(None):
        lines.append(f"---@return {annotation(signature.result)}")
    if function.name in KEYWORDS:
        return [*lines, f'{local}["{function.name}"] = function({", ".join(names)}) end']
    return [*lines, f"function {local}.{function.name}({', '.join(names)}) end"]


def _parameter(parameter: inspect.Parameter) -> str:
    optional = "" if parameter.default is inspect.Parameter.empty else "?"
    return f"---@param {_name(parameter.name)}{optional} {annotation(parameter.annotation)}"


def _name(name: str) -> str:
    """What Lua may call it: `end` is a word of its own there."""
    return f"{name}_" if name in KEYWORDS else name


def _options(options: dict[str, inspect.Parameter]) -> list[str]:
    fields = [
        f"{name}{'' if option.default is inspect.Parameter.empty else '?'}: {annotation(option.annotation)}"
        for name, option in options.items()
    ]
    needed = any(option.default is inspect.Parameter.empty for option in options.values())
    return [f"---@param options{'' if needed else '?'} {{ {', '.join(fields)} }}"]


def _comment(text: str) -> list[str]:
    return [f"--- {line}".rstrip() for line in text.splitlines()]
