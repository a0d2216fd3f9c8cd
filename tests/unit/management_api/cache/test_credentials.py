"""Credentials in the cluster cache: pages after any sequence of changes are those of a plain recomputation."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.resources import CredentialState
from management_api.cache.credentials import CachedCredential, CredentialIndex, Status, cached_credential
from management_api.cache.metadata import CHANGED_AT
from tests.support.management_parts import a_cached_credential
from tests.support.worlds import HOUR, NOW, a_credential

ONE = a_cached_credential()
STATUSES = (None, Status.ACTIVE, Status.REVOKED)

credentials = st.builds(
    lambda number, version, age, status: replace(
        ONE,
        credential_id=f"{number}",
        client_id="xy"[number % 2],
        version=version,
        created=NOW - HOUR * age,
        status=status,
    ),
    st.integers(0, 5),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from(Status),
)


@given(st.lists(st.tuples(st.booleans(), credentials), max_size=30), st.integers(0, 3), st.integers(1, 3))
def test_index_pages_are_newest_first(changes: list[tuple[bool, CachedCredential]], skip: int, limit: int) -> None:
    """Whatever was put or removed before; an older version never replaces a newer one."""
    table, now = CredentialIndex(), dict[str, CachedCredential]()
    for stays, one in changes:
        if not stays:
            table.remove(one)
            now.pop(one.credential_id, None)
        elif one.credential_id not in now or now[one.credential_id].version <= one.version:
            table.put(one)
            now[one.credential_id] = one
        else:
            table.put(one)
    for client_id in "xy":
        owner = (ONE.namespace, ONE.agent_name, client_id)
        for status in STATUSES:
            fitting = [one for one in now.values() if one.owner == owner and status in (None, one.status)]
            fitting.sort(key=lambda one: one.key, reverse=True)
            assert table.count(owner, status) == len(fitting)
            assert table.newest(owner, status, skip, limit) == fitting[skip : skip + limit]
    assert table.count_in(ONE.namespace) == len(now)
    assert table.count_in("another") == 0
    assert len(table) == len(now)


def test_index_lists_a_credential_once_whose_creation_time_changes() -> None:
    """The status has the time of creation more exactly than the metadata."""
    table = CredentialIndex()
    table.put(ONE)
    table.put(replace(ONE, version=ONE.version + 1, created=ONE.created + timedelta(milliseconds=3)))
    assert table.count(ONE.owner, None) == 1


REVOCATION_TIMES: dict[str, datetime | None] = {NOW.isoformat(): NOW, "2026-03-01T12:00:00": None, "yesterday": None, "": None}


@pytest.mark.parametrize("annotation", REVOCATION_TIMES)
def test_cached_credential_takes_the_time_of_a_revocation_from_the_annotation(annotation: str) -> None:
    """Until the operator has recorded the revocation. A tenant may write any text there: that is no time then."""
    credential = a_credential(state=CredentialState.REVOKED)
    metadata = replace(credential.metadata, annotations={CHANGED_AT: annotation})
    assert cached_credential(replace(credential, metadata=metadata)).revoked == REVOCATION_TIMES[annotation]
