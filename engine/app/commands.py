"""Carries what scripts called on `sprite`, `sound`, `camera` and `draw` to what does it."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping

from engine.app.arguments import BadCall
from engine.app.notices import Notices
from engine.app.ports import Command

Verb = Callable[..., None]


class Commands:
    """The functions of each module; a call that is wrong becomes a notice, and the others go on."""

    def __init__(self, modules: Mapping[str, Mapping[str, Verb]], notices: Notices) -> None:
        self._modules = modules
        self._notices = notices

    def obey(self, commands: Iterable[Command], script_of: Callable[[int], str]) -> None:
        """Do what was called, in order; `script_of` names the script of a sender for notices."""
        for command in commands:
            script = self._notices.script = script_of(command.sender)
            verb = self._modules.get(command.module, {}).get(command.function)
            try:
                if verb is None:
                    raise BadCall(self._unknown(command))
                _call(verb, command)
            except BadCall as error:
                called = f"{command.module}.{command.function}"
                self._notices.report_of(script, rf"\b{re.escape(called)}\b", f"{called}: {error}")

    def _unknown(self, command: Command) -> str:
        known = self._modules.get(command.module, {})
        near = difflib.get_close_matches(command.function, known, 1)
        return "no such function" + (f'; did you mean "{near[0]}"?' if near else "")


def _call(verb: Verb, command: Command) -> None:
    try:
        verb(command.sender, *command.args)
    except TypeError:
        # Only a wrong number of arguments is the script's mistake; any other TypeError is ours and goes on.
        try:
            inspect.signature(verb).bind(command.sender, *command.args)
        except TypeError as error:
            raise BadCall(str(error)) from None
        raise
