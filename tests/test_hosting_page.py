"""The examples of docs/hosting.md that need more than to be run as they stand."""

from pathlib import Path

import pytest

from helpers import ScriptFolder, run_child
from test_docs import blocks, text_of, write_scripts

PAGE = Path(__file__).parent.parent / "docs/hosting.md"

IN_A_GAME = """
import pygame, runpy

shown, flip = [], pygame.display.flip

def show():
    flip()
    shown.append(pygame.display.get_surface().get_at((116, 100))[:3])
    if len(shown) == 5:
        pygame.event.post(pygame.event.Event(pygame.QUIT))

pygame.display.flip = show
runpy.run_path("game.py", run_name="__main__")
assert shown[-1] == pygame.Color("green")[:3], shown
"""


@pytest.mark.row("E4")
def test_the_first_example_plays_in_a_pygame_loop_of_fifteen_lines(tmp_path):
    page_blocks = blocks(text_of(PAGE))
    first = next(block for block in page_blocks if block.language == "python")
    write_scripts(page_blocks, ScriptFolder(tmp_path / "scripts"))
    (tmp_path / "game.py").write_text(first.code, encoding="utf-8")

    run_child(IN_A_GAME, cwd=tmp_path)

    assert len(first.code.splitlines()) <= 15
