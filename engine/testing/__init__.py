"""Worlds on a simulated clock: for tests in Python, and for tests in Lua."""

from engine.testing.sim import Sim

__all__ = ["Sim"]
