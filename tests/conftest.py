"""What all suites share: where the checkout is on the import path."""

import sys
from pathlib import Path

# Last, not first: the programs under test come from the installed wheel; only `devcluster`, `demo` and `tests` come from here.
sys.path.append(str(Path(__file__).resolve().parent.parent))
