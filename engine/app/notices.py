"""What the window has to say about a game's files and drawing calls, each once.

A script error is the world's and stands in `world.problems`. A notice is about something that only a window
can find out: an image that is missing, a colour that is none.
"""

import logging
import re
from collections.abc import Callable, Hashable, Sequence

log = logging.getLogger("tidelock.app")

# A script that makes up a new name every frame must fill neither the log nor the memory.
MOST = 100
MOST_PLACES = 3


class Notices:
    """Open notices by the thing that they are about. `places` knows where a script has a pattern in its text.

    `script` is the one whose wish the window fulfils just now: what finds a file wanting does not know who asked.
    """

    def __init__(self, places: Callable[[str, str], Sequence[str]] = lambda script, pattern: ()) -> None:
        self._open: dict[Hashable, str] = {}
        self._places = places
        self.script = ""

    @property
    def lines(self) -> list[str]:
        """The open notices, oldest first."""
        return list(self._open.values())

    def report(self, about: Hashable, message: str) -> None:
        """Log `message` and show it, unless there is an open notice about the same thing."""
        if about in self._open or len(self._open) >= MOST:
            return
        self._open[about] = message
        log.warning("%s", message)

    def report_of(self, script: str, pattern: str, message: str) -> None:
        """Report what a script did wrong, with the lines that may have done it."""
        about = script, message
        if about not in self._open and len(self._open) < MOST:
            places = self._places(script, pattern)
            self.report(about, f"{' or '.join(places) if 0 < len(places) <= MOST_PLACES else script}: {message}")

    def report_file(self, about: Hashable, name: str, message: str) -> None:
        """Report what is wrong with the file of that name, with the lines that may have asked for it."""
        if about not in self._open and len(self._open) < MOST:
            places = self._places(self.script, rf"""(["']){re.escape(name)}\1""")
            self.report(about, f"{' or '.join(places)}: {message}" if 0 < len(places) <= MOST_PLACES else message)

    def mend(self, about: Hashable) -> None:
        """Close the notice about a thing that works again."""
        self._open.pop(about, None)

    def clear(self) -> None:
        """Close all; after a reload whatever is still wrong is reported anew."""
        self._open.clear()
