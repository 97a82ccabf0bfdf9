"""Reads Lua scripts without running them, and finds mistakes."""
