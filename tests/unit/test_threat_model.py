"""The threat model: the tests that it names exist."""

import re

from tests.support.crd_schema import CHECKOUT

TESTS = CHECKOUT / "tests"
PAGE = (CHECKOUT / "docs" / "threat-model.md").read_text()


def test_threat_model_names_existing_tests() -> None:
    """As a module of tests, in its folder."""
    named = re.findall(r"`((?:\w+/)*test_\w+)`", PAGE)
    assert len(named) > 10
    assert [name for name in named if not (TESTS / ("" if "/" in name else "integration") / f"{name}.py").exists()] == []


def test_threat_model_names_a_test_for_each_attacker() -> None:
    """But for the one who comes with what others have made: no test of ours sees them coming."""
    table = PAGE.split("| tests |\n")[1].split("\n\n")[0].splitlines()[1:]
    untested = [row for row in table if "test_" not in row.rsplit("|", 2)[1]]
    assert len(table) > 10
    assert [row.split("|")[1].split()[:3] for row in untested] == [["got", "malicious", "code"]]
