"""The Makefile: `make` alone lists the targets."""

import re
import subprocess

from tests.support.crd_schema import CHECKOUT


def test_make_lists_every_described_target() -> None:
    """The README says that it lists everything, whatever characters a name has."""
    described = re.findall(r"^([^\s:#]+):.* ## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    listed = subprocess.run(["make", "--silent", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make (\S+)", listed, re.MULTILINE) == described
    assert "e2e" in described
