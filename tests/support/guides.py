"""The commands of the guides, as people type them."""

import re
import textwrap

from tests.support.crd_schema import CHECKOUT

GUIDES = CHECKOUT / "docs" / "guides"


def steps_of(guide: str) -> list[str]:
    """Block by block, also those within lists."""
    found = re.finditer(r"^( *)```sh\n(.*?)^\1```$", (GUIDES / f"{guide}.md").read_text(), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(one[2]) for one in found]
