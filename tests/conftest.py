"""What all suites share: where the checkout is on the import path."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Last, not first: the programs under test come from the installed wheel; only `devcluster`, `demo` and `tests` come from here.
sys.path.append(str(Path(__file__).resolve().parent.parent))


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints what was measured, also when the test passes."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n    {line}\n")

    return write
