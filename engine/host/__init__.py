"""Host modules: Python functions that scripts call, and what runs them."""

from engine.host.callback import Callback
from engine.host.files import files_module
from engine.host.http import http_module
from engine.host.json import json_module
from engine.host.module import HostModule

__all__ = ["Callback", "HostModule", "files_module", "http_module", "json_module"]
