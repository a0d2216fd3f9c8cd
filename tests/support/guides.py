"""The commands of the guides and the runbooks, as people type them."""

import re
import textwrap
from pathlib import Path

from tests.support.crd_schema import CHECKOUT

GUIDES = CHECKOUT / "docs" / "guides"
RUNBOOKS = CHECKOUT / "docs" / "runbooks.md"


def steps_of(guide: str) -> list[str]:
    """Those of a guide, block by block."""
    return commands_in(GUIDES / f"{guide}.md")


def commands_in(page: Path) -> list[str]:
    """Block by block, also those within lists."""
    found = re.finditer(r"^( *)```sh\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(one[2]) for one in found]
