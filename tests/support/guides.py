"""The pages of the documentation, and what people type who follow them: `shell` types it."""

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

from tests.support.crd_schema import CHECKOUT

DOCS = CHECKOUT / "docs"
GUIDES = DOCS / "guides"
RUNBOOKS = DOCS / "runbooks.md"
README = CHECKOUT / "README.md"
PAGES = {
    **{path.stem: path for path in [*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md")]},
    "benchmarks": CHECKOUT / "benchmarks" / "README.md",
}
"""Every page, by its name."""
TYPED = "sh"
"""The mark of a block that is run."""


class Block(NamedTuple):
    """What is between two fences, also within a list; the mark is what the first fence says."""

    mark: str
    text: str


def steps_of(page: str) -> list[str]:
    """The commands of a page that are run, block by block."""
    return blocks_of(PAGES[page], TYPED)


def blocks_of(page: Path, mark: str) -> list[str]:
    """Those of a page that have this mark."""
    return [block.text for block in all_blocks_of(page) if block.mark == mark]


def all_blocks_of(page: Path) -> list[Block]:
    """Whatever their marks."""
    found = re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(one[2], textwrap.dedent(one[3])) for one in found]
