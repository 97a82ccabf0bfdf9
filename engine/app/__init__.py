"""The window: everything that needs pygame."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from engine.app.app import App
from engine.app.window import NoDisplay, display_available

__all__ = ["App", "NoDisplay", "display_available"]
