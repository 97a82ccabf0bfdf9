"""What the site needs done to the pages."""

import re
from typing import Any

# Flags behind a language are for the tests ("```python no-run"); the site's Markdown knows no such thing.
_FLAGS = re.compile(r"^( *`{3,}\w+) [\w -]+$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    return _FLAGS.sub(r"\1", markdown)
