"""CONTRIBUTING.md: the files that it names exist, and each instruction fits on a screen."""

import re

import pytest

from tests.support.crd_schema import CHECKOUT

PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text()
WHERE_THINGS_ARE = PAGE.split("```text\n")[1].split("```")[0]
SECTIONS: dict[str, str] = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
OUTSIDE = re.compile(r"[A-Z_]+=|~|/|10\.|python -m|[a-z]+ --|\.venv|bash |\.ci/run$|dist/")
"""What is no path of the checkout: a command, a setting, an address, a file that is made."""


def paths() -> list[str]:
    """The paths that the page names in backticks, and those of its list of folders."""
    quoted = [text for text in re.findall(r"`([^`\n]+)`", PAGE.replace(WHERE_THINGS_ARE, "")) if "/" in text]
    listed = [path for line in WHERE_THINGS_ARE.splitlines() if line[0] != " " for path in line.split("  ")[0].split(", ")]
    return [text for text in [*quoted, *listed] if not OUTSIDE.match(text)]


def test_contributing_names_existing_paths() -> None:
    """A page that leads to a former place leads astray."""
    named = paths()
    assert len(named) > 40
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("title", [title for title in SECTIONS if title.startswith("How to add")])
def test_contributing_instruction_fits_on_a_screen(title: str) -> None:
    """It has 25 lines at most."""
    assert len(SECTIONS[title].strip().splitlines()) <= 25


def test_contributing_lists_every_folder_of_the_product() -> None:
    """Below the packages, too: a newcomer looks there first."""
    for package in ("agentidp", "token_service", "management_api"):
        folders = [path.name for path in (CHECKOUT / package).iterdir() if (path / "__init__.py").exists()]
        assert [name for name in folders if name not in WHERE_THINGS_ARE] == []
