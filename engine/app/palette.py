"""The colours of all that the engine itself draws: night blues, and warm ones for what needs a look."""

PANEL = (19, 26, 46, 238)
EDGE = (47, 70, 112, 255)
INK = (223, 238, 230, 255)
DIM = (134, 171, 194, 255)
SHADE = (10, 12, 24, 255)
WRONG = (240, 98, 84, 255)
WARN = (242, 165, 74, 255)
GOOD = (122, 196, 140, 255)
LAMP = (255, 227, 155, 255)
BARS = (5, 6, 12, 255)
MISSING = (255, 0, 255, 255)
