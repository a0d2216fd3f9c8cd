"""The Secret with the signing keys: made once by the operator, and kept."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devcluster.install import NAMESPACE
from devcluster.programs import OPERATOR, Programs
from tests.support.crd_schema import Manifest
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

NAME = "agentidp-signing-keys"


@pytest.fixture(scope="module", autouse=True)
def no_keys_yet(objects: Objects) -> None:
    """Whatever keys the operators of other tests have left."""
    if objects.find("Secret", NAME, NAMESPACE):
        objects.remove("Secret", NAME, NAMESPACE)


@pytest.fixture
def signing_keys(operator: Programs, objects: Objects) -> Manifest:
    """The Secret, as soon as it is there."""
    secret = eventually("the signing keys are there", lambda: objects.find("Secret", NAME, NAMESPACE))
    assert secret
    return secret


def test_the_operator_makes_a_signing_key(signing_keys: Manifest) -> None:
    """ES256, signing at once, in a Secret of a type of its own."""
    assert signing_keys["type"] == "idp.sentryagent.ai/signing-keys"
    (key,) = keys_in(signing_keys)
    assert key["algorithm"] == "ES256"
    assert key["signsFrom"] == key["createdAt"]
    private = load_pem_private_key(key["privateKey"].encode(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)


def test_a_restart_keeps_the_keys(signing_keys: Manifest, operator: Programs, objects: Objects) -> None:
    """The Secret is not even written."""
    operator.restart(OPERATOR.name)
    Tenant.new(objects).issue()  # the new process is at work
    now = objects.get("Secret", NAME, NAMESPACE)
    assert now["metadata"]["resourceVersion"] == signing_keys["metadata"]["resourceVersion"]


def test_keys_that_cannot_be_read_are_left_alone(signing_keys: Manifest, operator: Programs, objects: Objects) -> None:
    """Whoever restores them finds nothing lost; credentials are served meanwhile."""
    broken = base64.b64encode(b"not what it was").decode()
    objects.change("Secret", NAME, {"data": {"keys.json": broken}}, NAMESPACE)
    operator.restart(OPERATOR.name)
    Tenant.new(objects).issue()
    eventually("the log says so", lambda: "holds no readable keys.json" in operator.log(OPERATOR.name).read_text())
    assert objects.get("Secret", NAME, NAMESPACE)["data"] == {"keys.json": broken}
    objects.change("Secret", NAME, {"data": signing_keys["data"]}, NAMESPACE)


def test_deleted_keys_are_made_anew(signing_keys: Manifest, objects: Objects) -> None:
    """As the message about unreadable ones promises, without a restart."""
    objects.remove("Secret", NAME, NAMESPACE)
    fresh = eventually("there are keys again", lambda: objects.find("Secret", NAME, NAMESPACE))
    assert fresh
    assert keys_in(fresh)[0]["kid"] != keys_in(signing_keys)[0]["kid"]


def test_another_algorithm_adds_a_key(signing_keys: Manifest, operator_with_rsa: None, objects: Objects) -> None:
    """It is published before it signs; the one in use stays first."""
    keys = eventually("there are two", lambda: keys_in(objects.get("Secret", NAME, NAMESPACE)), lambda seen: len(seen) == 2)
    assert keys[0] == keys_in(signing_keys)[0]
    assert keys[1]["algorithm"] == "RS256"
    assert keys[1]["signsFrom"] > keys[1]["createdAt"]


@pytest.fixture
def operator_with_rsa(operator: Programs, objects: Objects) -> Iterator[None]:
    """Restarted with another setting; afterwards everything is as before."""
    operator.restart(OPERATOR.name, {"AGENTIDP_SIGNING_ALGORITHM": "RS256"})
    yield
    operator.stop(OPERATOR.name)
    objects.remove("Secret", NAME, NAMESPACE)
    operator.start(OPERATOR.name)


def keys_in(secret: Manifest) -> list[dict[str, Any]]:
    """The keys, oldest first."""
    keys: list[dict[str, Any]] = json.loads(base64.b64decode(secret["data"]["keys.json"]))["keys"]
    return keys
