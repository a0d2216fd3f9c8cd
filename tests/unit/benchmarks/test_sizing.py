"""The sizing page says where its measured figures are from."""

import re

from tests.support.crd_schema import CHECKOUT


def test_every_measured_figure_names_a_result_that_is_there() -> None:
    """Or says that it was read by hand, and is in none."""
    measured = (CHECKOUT / "docs/sizing.md").read_text().split("## Measured")[1].split("\n## ")[0]
    sources = [row.rsplit("|", 2)[1].strip() for row in re.findall(r"^\|.*\|$", measured, re.MULTILINE)[2:]]
    assert len(sources) > 8
    for source in sources:
        name = re.fullmatch(r"`([a-z_.]+)`", source)
        assert source == "by hand" or (name and (CHECKOUT / f"benchmarks/results/{name[1]}.json").exists()), source
