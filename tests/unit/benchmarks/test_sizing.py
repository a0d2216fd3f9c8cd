"""The sizing page: the sources of its measured figures."""

import re

from tests.support.crd_schema import CHECKOUT


def test_sizing_page_names_existing_results() -> None:
    """Or says that it was read by hand, and is in none."""
    measured = (CHECKOUT / "docs/sizing.md").read_text().split("## Measured")[1].split("\n## ")[0]
    sources = [row.rsplit("|", 2)[1].strip() for row in re.findall(r"^\|.*\|$", measured, re.MULTILINE)[2:]]
    assert len(sources) > 8
    for source in sources:
        name = re.fullmatch(r"`([a-z_.]+)`", source)
        assert source == "by hand" or (name and (CHECKOUT / f"benchmarks/results/{name[1]}.json").exists()), source
