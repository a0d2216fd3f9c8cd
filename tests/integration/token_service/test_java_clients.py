"""Java's clients as people have them, with their defaults: the JDK's own HTTP client, and Spring Security."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from devcluster.programs import Programs
from tests.support.guides import GUIDES, blocks_of
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served

SOURCES = Path(__file__).parent / "java"
AUDIENCE = "https://orders.example"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

missing = [program for program in ("java", "mvn") if not shutil.which(program)]
pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"needs {' and '.join(missing)}: apt-get install default-jdk-headless maven"
)

Java = Callable[[str, str, list[str]], list[str]]


@pytest.fixture(scope="module")
def pair(programs: Programs, objects: Objects) -> Pair:
    """Of an agent that may read orders."""
    tenant = Tenant.new(objects)
    tenant.create("Agent", scopes=["orders:read"], audiences=[AUDIENCE])
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return pair


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pom.xml` pins, from Maven's repository."""
    folder = tmp_path_factory.mktemp("libraries")
    pom = SOURCES / "pom.xml"
    maven = ["mvn", "--batch-mode", "--no-transfer-progress", "--quiet", f"--file={pom}", COPY, f"-DoutputDirectory={folder}"]
    done = subprocess.run(maven, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return folder


def java(source: str, *arguments: str, given: str, libraries: Path | None = None) -> list[str]:
    """The lines that a program of one source file prints; what it is given on standard input is in no command line."""
    class_path = ["-cp", f"{libraries}/*"] if libraries else []
    command = ["java", *class_path, str(SOURCES / source), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("version", [[], ["HTTP_1_1"]], ids=["as it comes, which asks for an upgrade to h2c", "HTTP/1.1"])
def test_the_jdks_client_gets_a_token(version: list[str], pair: Pair) -> None:
    """An `Upgrade` that is not taken is ignored, and the request is answered (RFC 9110, section 7.8)."""
    form = {"grant_type": "client_credentials", "client_id": pair.client_id, "client_secret": pair.client_secret}
    status, body = java("JdkClient.java", pair.token_endpoint, *version, given=urlencode(form))
    assert status == "200", body
    assert json.loads(body)["token_type"] == "Bearer"


def test_the_page_shows_what_was_tried() -> None:
    """The decoder of the page is the one below, but for its indentation."""
    (shown,) = blocks_of(GUIDES / "verify-tokens.md", "java")
    tried = [line.strip() for line in (SOURCES / "SpringClients.java").read_text().splitlines()]
    assert "\n".join(line.strip() for line in shown.splitlines()) in "\n".join(tried)


def test_spring_security_needs_the_issuer_alone(pair: Pair, programs: Programs, libraries: Path) -> None:
    """Its clients and its resource servers find all of it, and the token is verified as RFC 9068, section 4, says.

    `fromIssuerLocation` reads `openid-configuration` first, and stops where that is not complete.
    """
    given = f"{pair.client_id}\n{pair.client_secret}"
    endpoint, claims = java("SpringClients.java", programs.token_url, AUDIENCE, given=given, libraries=libraries)
    assert endpoint == pair.token_endpoint
    assert claims == f"{pair.client_id} [{AUDIENCE}] orders:read"
