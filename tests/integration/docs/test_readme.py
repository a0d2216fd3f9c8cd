"""The pages in an empty checkout, as somebody follows them who has nothing but Python, make and curl.

What git ignores is not there: no virtual environment, no cluster. Only the compiled control plane is, which is kept beside all
checkouts. Changes that are not committed yet are there, too, so what is tested is what a commit would bring.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from devcluster.ports import ReservedPort
from tests.support.crd_schema import CHECKOUT
from tests.support.guides import PAGES, TYPED, blocks_of, steps_of
from tests.support.shell import Shell

ANOTHER_CLUSTER = {"install", "monitoring"}
"""Pages that begin where nothing of AgentIdP is installed; tests/integration/chart follows them."""
FOR_ANY_CLUSTER = "runbooks"
UP, DOWN, WHERE = "make up", "make down", ". .dev/env"
BEGINS_WITH_UP = ["README", "quickstart"]
OTHERS = sorted({page for page, path in PAGES.items() if blocks_of(path, TYPED)} - {*BEGINS_WITH_UP} - ANOTHER_CLUSTER)
MADE = (
    "namespaces,organizations,agents,agentcredentials,secrets,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
    "configmaps,deployments,validatingadmissionpolicies,validatingadmissionpolicybindings"
)
"""What the pages make. A TokenRevocation is kept until its token has expired."""

Type = Callable[[str], str]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Without all that git ignores, and with a commit of the rest; in the end nothing of it runs."""
    ignored = {line.strip("/") for line in (CHECKOUT / ".gitignore").read_text().split()} | {".git"}
    folder = tmp_path_factory.mktemp("newcomer")
    checkout = folder / "agentidp"
    shutil.copytree(CHECKOUT, checkout, symlinks=True, ignore=lambda _, names: ignored.intersection(names))
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=All of it"]):
        git(checkout, *command)
    yield checkout
    with newcomers_shell(checkout) as shell:
        shell.type(DOWN)


def git(checkout: Path, *arguments: str) -> str:
    """What git says, whoever this is."""
    somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "core.hooksPath=/dev/null"]
    command = ["git", "-C", str(checkout), *somebody, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A free one, for pages that say that any will do."""
    port = ReservedPort()
    yield port.number
    port.release()


def newcomers_shell(checkout: Path, port: int = 8000) -> Shell:
    """In which make takes this Python, but nothing of what is installed for the tests."""
    logs = checkout.parent / "logs"
    logs.mkdir(exist_ok=True)
    return Shell(checkout, logs, {"PYTHON": str(Path(sys.executable).resolve())}, port)


def follow(steps: Sequence[str], checkout: Path, port: int) -> tuple[str, float]:
    """What is said when all of it is typed into one shell, and the seconds that it took."""
    started = time.monotonic()
    with newcomers_shell(checkout, port) as shell:
        said = "".join(map(shell.type, steps))
    return said, time.monotonic() - started


def test_the_quickstart_leads_from_an_empty_checkout_to_a_verified_token(
    checkout: Path, port: int, tell: Callable[[str], None]
) -> None:
    """An API that knows only the issuer's URL takes the token, and refuses it when it was changed."""
    assert not (checkout / ".venv").exists()
    said, seconds = follow(steps_of("quickstart"), checkout, port)
    tell(f"from an empty checkout to a verified token and `make down`: {seconds:.0f} s, with a compiled control plane")
    (answer,) = re.findall(r'^{"agent".*}(?=401$)', said, re.MULTILINE)
    (agent_id,) = re.findall(r"Agent screener .*?([0-9a-f-]{36})", said)
    assert json.loads(answer) == {"agent": agent_id, "resumes": []}
    assert said.rstrip().endswith("AgentIdP is down.")


def test_the_readme_does_what_it_says(checkout: Path, port: int, tell: Callable[[str], None]) -> None:
    """The demo, a token, a credential over HTTP, and the commands of whoever is on call; then nothing is up."""
    said, seconds = follow(steps_of("README"), checkout, port)
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


@pytest.fixture(scope="module")
def look(checkout: Path) -> Iterator[Type]:
    """A shell beside, in the one cluster in which all pages are followed."""
    with newcomers_shell(checkout) as shell:
        shell.type(f"{UP}\n{WHERE}")
        yield shell.type
        shell.type(DOWN)


@pytest.mark.parametrize("page", [*BEGINS_WITH_UP, *OTHERS])
def test_a_page_leaves_cluster_and_checkout_as_it_found_them(page: str, checkout: Path, port: int, look: Type) -> None:
    """So pages can be followed in any order. All are, in one cluster, each in a shell that knows what it says and no more."""
    there = f"kubectl get {MADE} --all-namespaces --output=custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name"
    before = look(there)
    assert WHERE in PAGES[page].read_text() or page == FOR_ANY_CLUSTER, "the page says where the cluster is"
    steps = [step for step in steps_of(page) if not step.startswith(DOWN)]
    follow(steps if page in BEGINS_WITH_UP else [WHERE, *steps], checkout, port)
    assert look(there) == before
    assert git(checkout, "status", "--porcelain") == ""
