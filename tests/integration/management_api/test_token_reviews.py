"""Tokens of the cluster at the management API: the API server itself counts the reviews (decision 41)."""

import time
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from devcluster.cluster import ControlPlane
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.management import Api, service_account_token
from tests.support.objects import Objects
from tests.support.service_accounts import token_of
from tests.support.tenants import Tenant

FORGED, FLOOD, AT_ONCE = 300, 260, 200
COUNTED = (
    'apiserver_request_total{code="201",component="apiserver",dry_run="",group="authentication.k8s.io",resource="tokenreviews"'
)
STRANGER = rsa.generate_private_key(65537, 2048)


def reviews(objects: Objects) -> int:
    """How many the API server has done."""
    lines = objects.ask("GET", "/metrics").raise_for_status().text.splitlines()
    counts = (line for line in lines if line.startswith("apiserver_request_total{") and 'resource="tokenreviews"' in line)
    return sum(int(float(line.rpartition(" ")[2])) for line in counts)


def forged(genuine: str, namespace: str) -> str:
    """As the cluster writes one for this namespace, naming the cluster's key, by somebody who does not have it."""
    claims = jwt.decode(genuine, options={"verify_signature": False})
    named = claims | {"sub": f"system:serviceaccount:{namespace}:default", "jti": namespace}
    return jwt.encode(named, STRANGER, "RS256", {"kid": jwt.get_unverified_header(genuine)["kid"]})


def status(nobody: Api, bearer: str) -> HTTPStatus:
    """What comes of asking with it; who may not list agents is known all the same."""
    return HTTPStatus(nobody.ask("GET", "/agents", headers={"Authorization": f"Bearer {bearer}"}).status_code)


@pytest.fixture
def nobody(all_programs: Programs) -> Iterator[Api]:
    """A connection without a token of its own."""
    with Api(all_programs.url(MANAGEMENT_API.name), None) as api:
        yield api


@pytest.fixture
def genuine(cluster: ControlPlane, tenant: Tenant) -> str:
    """A token of a ServiceAccount, which is known, and may nothing."""
    return service_account_token(cluster, tenant.namespace, "caller")


def test_forged_tokens_cost_no_review_and_keep_nobody_out(genuine: str, nobody: Api, objects: Objects) -> None:
    """Each names another tenant; the first use of a genuine one afterwards is one review."""
    before = reviews(objects)
    outcomes = Counter(status(nobody, forged(genuine, f"tenant-{number}")) for number in range(FORGED))
    assert outcomes == {HTTPStatus.UNAUTHORIZED: FORGED}
    assert reviews(objects) == before
    assert status(nobody, genuine) == HTTPStatus.FORBIDDEN
    assert reviews(objects) == before + 1


def test_token_reviews_of_a_namespace_that_floods_leave_first_uses_of_others_alone(
    cluster: ControlPlane, nobody: Api, objects: Objects, tenant: Tenant
) -> None:
    """With genuine tokens, each of them new: at most what one namespace may is reviewed; every other one is served."""
    service_account_token(cluster, tenant.namespace, "many")
    tokens = [token_of(tenant, name="many") for _ in range(FLOOD)]
    others = [Tenant.new(objects) for _ in range(5)]
    firsts = [service_account_token(cluster, other.namespace, "caller") for other in others]
    began, before = time.monotonic(), reviews(objects)
    outcomes = Counter(status(nobody, token) for token in tokens)
    most = AT_ONCE + 20 * (time.monotonic() - began) + 1
    assert outcomes.keys() <= {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    assert reviews(objects) - before == outcomes[HTTPStatus.FORBIDDEN] <= most
    assert [status(nobody, first) for first in firsts] == [HTTPStatus.FORBIDDEN] * len(firsts)
