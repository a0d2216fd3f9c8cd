"""The OpenAPI document is true: Schemathesis sends what it allows and what it does not, and checks every answer by it."""

import os
import subprocess
import sys
from pathlib import Path

from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.crd_schema import CHECKOUT
from tests.support.management import BASE, Api

CONFIGURATION = CHECKOUT / "tests" / "support" / "schemathesis.toml"
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


def test_every_answer_is_documented(api: Api, all_programs: Programs, tmp_path: Path) -> None:
    """No 5xx, no status, header or body that is not documented, nothing refused that should be taken, nor the other way round.

    All checks are on but one, which the configuration names; so are all phases: examples, bounds, random requests, sequences.
    """
    document = all_programs.url(MANAGEMENT_API.name) + BASE + "/openapi.json"
    options = ["--config-file", str(CONFIGURATION), "run", document, "--checks=all"]
    header = f"Authorization: {api.client.headers['Authorization']}"
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.support.openapi_formats", "PYTHONPATH": str(CHECKOUT)}
    run = subprocess.run(
        [SCHEMATHESIS, *options, "--header", header],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "Tested: 11" in run.stdout
