"""The plaintext of a secret is in its Secret and nowhere else, whatever happens and however much the programs tell.

A life in which much goes wrong is lived on a cluster of its own, with logs at their most verbose and an audit log of all bodies
but those of Secrets. Then all that can be read without reading Secrets is searched.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, PROGRAMS, Programs
from tests.support.control_planes import installed_cluster
from tests.support.everything_readable import Text, everything, is_secret
from tests.support.leaky_life import ACTS, ACTS_THAT_ARE_LOGGED, live
from tests.support.leaky_rest import live_over_rest
from tests.support.management import Api
from tests.support.objects import Objects
from tests.support.plaintext import forms_of
from tests.support.tenants import Tenant

# The bodies of everything, except Secrets and the tokens by which the API server knows the programs.
AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    resources: [{group: "", resources: [secrets, serviceaccounts/token]}]
  - level: RequestResponse
"""
VERBOSE = {"AGENTIDP_LOG_LEVEL": "debug"}
FOR_PEOPLE = VERBOSE | {"AGENTIDP_LOG_FORMAT": "console"}
CLIENT_SECRET = re.compile(rb"sk_live_[0-9a-f]{32}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One that tells everything that it is asked to do."""
    directory = tmp_path_factory.mktemp("cluster")
    policy = directory / "audit-policy.yaml"
    policy.write_text(AUDIT_POLICY)
    flags = [f"--audit-policy-file={policy}", f"--audit-log-path={directory / 'log' / 'audit.log'}"]
    with installed_cluster(directory, flags) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """All of them, telling all that they can."""
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), VERBOSE) as programs:
        yield programs


@pytest.fixture(scope="module")
def plaintexts(programs: Programs, objects: Objects) -> set[str]:
    """The life is over; these are the plaintexts that were there at some time."""
    seen = watched_secrets(objects)
    with Api(programs.url(MANAGEMENT_API.name), objects.bearer) as api:
        told = live(ACTS, objects) | live_over_rest(api, Tenant.new(objects), programs)
        for program in PROGRAMS:
            programs.restart(program.name, FOR_PEOPLE)
        told |= live(ACTS_THAT_ARE_LOGGED, objects) | live_over_rest(api, Tenant.new(objects), programs)
    assert seen >= client_secrets(objects)
    return told | seen


@pytest.fixture(scope="module")
def readable(plaintexts: set[str], cluster: ControlPlane, objects: Objects, programs: Programs) -> list[Text]:
    """All that there is to read in the end."""
    return list(everything(cluster, objects, programs))


def test_no_client_secret_is_anywhere_else(plaintexts: set[str], readable: list[Text], tell: Callable[[str], None]) -> None:
    """In no resource, log, event, metric, process, and no key of etcd."""
    size = sum(len(text.content) for text in readable) / 1e6
    tell(f"searched {size:.0f} MB in {len(readable)} places for {len(plaintexts)} plaintexts")
    needles = set().union(*map(forms_of, plaintexts))
    assert found(needles, readable) == []


def test_no_signing_key_is_anywhere_else(readable: list[Text], objects: Objects) -> None:
    """Not in the JWKS either, which has the public part of it."""
    secret = objects.get("Secret", "agentidp-signing-keys", NAMESPACE)
    keys = json.loads(base64.b64decode(secret["data"]["keys.json"]))["keys"]
    needles = set().union(*(forms_of_key(key["privateKey"]) for key in keys))
    assert found(needles, readable) == []


def test_the_search_finds_what_is_there(cluster: ControlPlane, objects: Objects) -> None:
    """In the Secrets as etcd has them; and in what a client sends."""
    stored = [Text(key, value) for key, value in cluster.stored() if is_secret(key)]
    for secret in client_secrets(objects):
        assert found(forms_of(secret), stored)
        sent = next(httpx.BasicAuth("some-client", secret).auth_flow(httpx.Request("GET", "http://idp.example")))
        assert found(forms_of(secret), [Text("header", sent.headers["Authorization"].encode())])


def found(needles: Iterable[bytes], readable: list[Text]) -> list[str]:
    """Where one of them is, with what is around it."""
    pattern = re.compile(b"|".join(map(re.escape, sorted(needles))))
    hits = ((text.where, text.content, match.start()) for text in readable for match in pattern.finditer(text.content))
    return [f"{where}: {content[max(0, at - 150) : at + 50]!r}" for where, content, at in hits]


def watched_secrets(objects: Objects) -> set[str]:
    """A set that grows with every client secret that a Secret holds, however briefly."""
    seen: set[str] = set()

    def watch() -> None:
        with suppress(httpx.HTTPError), objects.watch("Secret", "") as changes:  # it ends with the cluster
            for change in changes:
                seen.update(client_secrets_in(change.object))

    threading.Thread(target=watch, daemon=True).start()
    return seen


def client_secrets(objects: Objects) -> set[str]:
    """Those that are in Secrets now."""
    return set().union(*map(client_secrets_in, objects.list("Secret")))


def client_secrets_in(secret: dict[str, dict[str, str]]) -> set[str]:
    """Whatever its keys are called."""
    values = (base64.b64decode(value) for value in secret.get("data", {}).values())
    return {match.decode() for value in values for match in CLIENT_SECRET.findall(value)}


def forms_of_key(pem: str) -> set[bytes]:
    """A private key, its lines, and the number that it is about."""
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    number = key.private_numbers().private_value
    raw = number.to_bytes(32, "big")
    written = {pem, *(line for line in pem.splitlines() if not line.startswith("-----")), str(number), raw.hex()}
    return set().union(*map(forms_of, written), {raw, base64.urlsafe_b64encode(raw).rstrip(b"=")})
