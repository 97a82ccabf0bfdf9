"""Reads Lua scripts without running them."""
