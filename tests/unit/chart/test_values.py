"""The values of the chart: each has a comment, because no other page lists them."""

from collections.abc import Iterator

import yaml

from devcluster.chart import CHART

VALUES = (CHART / "values.yaml").read_text()
LINES = VALUES.splitlines()


def leaves(node: yaml.MappingNode, path: str = "") -> Iterator[tuple[str, int]]:
    """Each value that is not a block of others: its path, and the line that it is on, counted from 0."""
    for key, value in node.value:
        place = f"{path}.{key.value}".removeprefix(".")
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from leaves(value, place)
        else:
            yield place, key.start_mark.line


def test_chart_values_have_comments() -> None:
    """Right above it, in its own words: not in those of a block far above."""
    (root,) = yaml.compose_all(VALUES)
    assert isinstance(root, yaml.MappingNode)
    found = list(leaves(root))
    assert len(found) > 100
    assert [place for place, line in found if not LINES[line - 1].lstrip().startswith("#")] == []
