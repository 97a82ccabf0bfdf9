"""Worlds on a simulated clock: for tests in Python, and for tests in Lua."""
