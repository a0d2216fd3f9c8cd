"""What a linter says of manifests, in one form for all of them."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.errors import DevclusterError


@dataclass(frozen=True)
class Finding:
    """One objection to one object."""

    linter: str
    """With what it was told to check for, such as a version of Kubernetes."""
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.linter}: {self.where}: {self.what}"


def report(command: Sequence[str | Path]) -> Any:
    """What a linter writes to its standard output, which is JSON whether it has found something or not."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError as error:
        said = (result.stdout + result.stderr).strip()
        raise DevclusterError(f"{Path(command[0]).name} could not read the manifests:\n{said}") from error
