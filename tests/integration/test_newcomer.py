"""The README and the quickstart in an empty checkout, as somebody follows them who has nothing but Python, make and curl.

What git ignores is not there: no virtual environment, no cluster. Only the compiled control plane is, which is kept beside all
checkouts. Changes that are not committed yet are there, too, so what is tested is what a commit would bring.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from devcluster.ports import ReservedPort
from tests.support.crd_schema import CHECKOUT
from tests.support.guides import steps_of, typed

MAKES_OWN = ("MAKE", "MFLAGS", "AGENTIDP_", "KUBE", "VIRTUAL_ENV", "PYTEST_", "ISSUER", "AUDIENCE")
"""What this run was started with, and a newcomer's shell does not have."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Without all that git ignores; in the end nothing of it runs."""
    ignored = {line.strip("/") for line in (CHECKOUT / ".gitignore").read_text().split()} | {".git"}
    checkout = tmp_path_factory.mktemp("newcomer") / "agentidp"
    shutil.copytree(CHECKOUT, checkout, symlinks=True, ignore=lambda _, names: ignored.intersection(names))
    yield checkout
    typed("make down", checkout, newcomers_shell())


def newcomers_shell(**more: str) -> dict[str, str]:
    """With this Python as `python3`, but not with what is installed for the tests."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if one != beside)
    own = {name: value for name, value in os.environ.items() if not name.startswith(MAKES_OWN)}
    return own | {"PATH": path, "PYTHON": str(Path(sys.executable).resolve())} | more


def follow(steps: Sequence[str], checkout: Path, **more: str) -> tuple[str, float]:
    """What is said when all of it is typed into one shell, and the seconds that it took."""
    started = time.monotonic()
    said = typed("\n".join(steps), checkout, newcomers_shell(**more))
    return said, time.monotonic() - started


def test_the_quickstart_leads_from_an_empty_checkout_to_a_verified_token(checkout: Path, tell: Callable[[str], None]) -> None:
    """An API that knows only the issuer's URL takes the token, and refuses it when it was changed."""
    assert not (checkout / ".venv").exists()
    port = ReservedPort()
    try:
        said, seconds = follow(steps_of("quickstart"), checkout, PORT=str(port.number))
    finally:
        port.release()
    tell(f"from an empty checkout to a verified token and `make down`: {seconds:.0f} s, with a compiled control plane")
    (answer,) = re.findall(r'^{"agent".*}(?=401$)', said, re.MULTILINE)
    (agent_id,) = re.findall(r"Agent screener .*?([0-9a-f-]{36})", said)
    assert json.loads(answer) == {"agent": agent_id, "resumes": []}
    assert said.rstrip().endswith("AgentIdP is down.")


def test_the_readme_does_what_it_says(checkout: Path, tell: Callable[[str], None]) -> None:
    """The demo, a token, a credential over HTTP, and the commands of whoever is on call; then nothing is up."""
    said, seconds = follow(steps_of("README"), checkout)
    tell(f"all of the README: {seconds:.0f} s")
    for expected in (
        "Everything shown was checked.",
        '"scope": "resumes:read scores:write"',
        '"clientSecret":"sk_live_',
        "agentcredential.idp.sentryagent.ai/screener rotated",
        "agent.idp.sentryagent.ai/screener suspended",
        "agent.idp.sentryagent.ai/screener resumed",
        "agentcredential.idp.sentryagent.ai/screener revoked",
    ):
        assert expected in said
    assert said.rstrip().endswith("AgentIdP is down.")
