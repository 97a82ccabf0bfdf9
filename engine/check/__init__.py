"""Finds mistakes in the scripts of a game without running it."""
