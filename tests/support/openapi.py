"""Trying out an OpenAPI document: Schemathesis sends what it allows and what it does not, and checks every answer by it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.crd_schema import CHECKOUT

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


def try_out(document: str, configuration: str, authorization: str, scratch: Path) -> str:
    """What Schemathesis tells when it has found nothing wrong; all checks are on that the configuration does not turn off."""
    options = ["--config-file", str(CHECKOUT / "tests" / "support" / configuration), "run", document, "--checks=all"]
    run = subprocess.run(
        [SCHEMATHESIS, *options, "--header", f"Authorization: {authorization}"],
        cwd=scratch,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.support.openapi_formats", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    return run.stdout
