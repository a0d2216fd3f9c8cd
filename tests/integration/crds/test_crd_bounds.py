"""Every bound of every field is enforced by the API server, with a message that names the field."""

from collections.abc import Iterator

import msgspec
import pytest

from tests.support.api_server import Answer, ApiServer
from tests.support.crd_schema import Manifest, crds, fields, full_manifests, schema_of
from tests.support.crd_violations import BOUNDS, COVERED_OTHERWISE, NOT_BOUNDS, Violation, nulls, variants, violations
from tests.support.struct_schema import STRUCTS

VIOLATIONS = dict(violations())
VARIANTS = dict(variants("enum", "minimum", "maximum"))
NULLS = dict(nulls())

# Also a UUID, since the name of a TokenRevocation must be one.
NEW_NAME = {"name": "00000000-0000-4000-8000-000000000000"}


class Judge:
    """Tries resources without keeping them: a spec as that of a new resource, a status as the next one of what exists."""

    def __init__(self, api_server: ApiServer) -> None:
        self._api_server = api_server

    def __call__(self, part: str, resource: Manifest) -> Answer:
        """What the API server says to this part of a resource."""
        if part == "status":
            return self._api_server.set_status(resource, resource["status"], dry_run=True)
        return self._api_server.create(resource | {"metadata": NEW_NAME}, dry_run=True)


@pytest.fixture(scope="module")
def judge(api_server: ApiServer) -> Iterator[Judge]:
    """A judge of all full resources, which exist meanwhile."""
    for resource in full_manifests():
        assert api_server.create(resource).message == ""
    yield Judge(api_server)
    for resource in full_manifests():
        api_server.delete(resource)


@pytest.mark.parametrize("violation", VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_value_out_of_bounds_is_refused(judge: Judge, violation: Violation) -> None:
    """The message names the field and the bound."""
    part, _, field = violation.location.partition(".")
    answer = judge(part, violation.resource)
    assert not answer.accepted
    assert (field or part) in answer.message
    assert violation.complaint in answer.message


@pytest.mark.parametrize("resource", VARIANTS.values(), ids=VARIANTS)
def test_a_value_at_its_bound_is_accepted(judge: Judge, resource: Manifest) -> None:
    """Every value of an enum, the smallest and the largest number."""
    parts = [part for part in ("spec", "status") if part in resource]
    assert [judge(part, resource).message for part in parts] == [""] * len(parts)


@pytest.mark.parametrize("resource", NULLS.values(), ids=NULLS)
def test_no_null_reaches_the_programs(judge: Judge, resource: Manifest) -> None:
    """It is refused, or taken for a field that is not there."""
    answer = judge("spec", resource)
    if answer.accepted:
        msgspec.convert(answer.resource, STRUCTS[resource["kind"]])


def test_every_keyword_is_covered() -> None:
    """A bound of a kind that the CRDs did not have before needs a way to break it."""
    keywords = {keyword for crd in crds().values() for field in fields(schema_of(crd)) for keyword in field.schema}
    assert keywords - BOUNDS.keys() - NOT_BOUNDS - COVERED_OTHERWISE == set()
