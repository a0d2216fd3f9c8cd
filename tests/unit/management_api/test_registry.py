"""The registry's tables: pages after any sequence of changes are those of a plain recomputation."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.resources import SecretHash
from management_api.registry.credentials import CredentialTable, RegisteredCredential, Status, registered
from tests.support.worlds import HOUR, NOW, an_issued_credential

ONE = registered(an_issued_credential(SecretHash(hash="$2b$10$" + "a" * 53, created_at=NOW)))
STATUSES = (None, Status.ACTIVE, Status.REVOKED)

credentials = st.builds(
    lambda number, version, age, status, unconfirmed: replace(
        ONE,
        credential_id=f"{number}",
        client_id="xy"[number % 2],
        version=version,
        created=NOW - HOUR * age,
        status=status,
        unconfirmed=unconfirmed,
    ),
    st.integers(0, 5),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from(Status),
    st.sampled_from([None, "{}"]),
)


@given(st.lists(st.tuples(st.booleans(), credentials), max_size=30), st.integers(0, 3), st.integers(1, 3))
def test_pages_are_newest_first(changes: list[tuple[bool, RegisteredCredential]], skip: int, limit: int) -> None:
    """Whatever came, changed or went before; an older sight of one never comes back."""
    table, now = CredentialTable(), dict[str, RegisteredCredential]()
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
    assert {one.credential_id for one in table.unconfirmed()} == {key for key, one in now.items() if one.unconfirmed}
    assert len(table) == len(now)


def test_a_credential_that_moves_in_time_is_listed_once() -> None:
    """The operator tells more precisely when it was made than its metadata do."""
    table = CredentialTable()
    table.put(ONE)
    table.put(replace(ONE, version=ONE.version + 1, created=ONE.created + timedelta(milliseconds=3)))
    assert table.count(ONE.owner, None) == 1
