"""States in child processes, behind the same seam as those beside the game: what crosses is flat plain data."""
