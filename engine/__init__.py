"""Tidelock: Lua scripts for the entities of Python games."""

# Layers, lowest first; a file imports from below only:
#   words errors checks hooks limits spelling payload display report problems interrupts
#   lua/                 the border: the only folder that imports lupa
#   process/             states in child processes, behind the same seam
#   scripts sources scheduler workers shifts outbox
#   bus/                 events: who listens, what is on its way, and who gets it
#   shared inputs entity failures modules origins bounds mods permits log digest operations questions warm states
#   fallen population
#   reload/              new versions: noticed, tried beside the old one, taken or refused
#   losses loop stats leaks probes trace
#   world
#   host/                host modules and what runs them
#   project reading/ annotations/ check/    a game as a folder, its scripts read without running them
#   app/                 the window: the only folder that imports pygame
#   testing/             worlds on a simulated clock, and the pytest plugin
#   cli/                 python -m engine

from engine.bus.events import Event
from engine.entity import Entity
from engine.errors import (
    EngineError,
    EntityGone,
    HandleReleased,
    LimitError,
    NoHandler,
    PayloadError,
    RequestTimeout,
    ScriptError,
    ScriptNotFound,
    StateBusy,
    StateClosed,
    WorldClosed,
)
from engine.host.module import HostModule
from engine.leaks import Leak
from engine.limits import Limits
from engine.lua.handles import FunctionHandle, TableHandle
from engine.lua.state import LuaState
from engine.mods import Mod, Rights
from engine.problems import Problem
from engine.world import World

__all__ = [
    "EngineError",
    "Entity",
    "EntityGone",
    "Event",
    "FunctionHandle",
    "HandleReleased",
    "HostModule",
    "Leak",
    "LimitError",
    "Limits",
    "LuaState",
    "Mod",
    "NoHandler",
    "PayloadError",
    "Problem",
    "RequestTimeout",
    "Rights",
    "ScriptError",
    "ScriptNotFound",
    "StateBusy",
    "StateClosed",
    "TableHandle",
    "World",
    "WorldClosed",
]
