"""The one palette, as it looks in full light: the night itself is laid over it by the engine.

Blues of the sea and greens of the meadow; the warm colours belong to fire, wood and people.
"""

FRAME = 16

PALETTE = {
    "k": (14, 16, 30),  # ink
    "n": (28, 36, 66),  # night
    "b": (46, 62, 104),  # navy
    "s": (74, 98, 142),  # slate
    "m": (116, 146, 180),  # mist
    "l": (178, 208, 212),  # moonlit
    "w": (240, 246, 232),  # moon
    "d": (24, 50, 58),  # deep teal
    "t": (40, 80, 76),  # teal
    "g": (66, 120, 96),  # grass
    "f": (136, 190, 120),  # fern
    "p": (74, 46, 62),  # plum
    "r": (152, 78, 70),  # rust
    "o": (218, 128, 70),  # orange
    "a": (255, 184, 88),  # amber
    "y": (255, 234, 170),  # lantern
    "v": (154, 114, 198),  # violet
}
