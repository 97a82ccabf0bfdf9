"""The site's navigation and links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def test_every_page_has_a_place_in_the_navigation():
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- .*: (\S+\.md)$", settings, re.MULTILINE)

    assert sorted(listed) == PAGES, "add the page to `nav` in mkdocs.yml"


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [found["target"] for found in LINK.finditer(text) if "://" not in found["target"]]

    assert [target for target in targets if not (DOCS / page).parent.joinpath(target).exists()] == []
