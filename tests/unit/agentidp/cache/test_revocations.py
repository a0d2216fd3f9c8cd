"""Revocation index: after any sequence of changes it has what a plain recomputation has."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agentidp.cache.revocations import RevocationIndex, RevokedToken

revoked_tokens = st.builds(
    RevokedToken, st.sampled_from("123456"), st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y", None])
)


@given(st.lists(st.tuples(st.booleans(), revoked_tokens), max_size=40))
def test_revocation_index_has_tokens_and_counts_of_clients_and_namespaces(
    changes: list[tuple[bool, RevokedToken]],
) -> None:
    """Whatever came, changed or went before; of those that have none any more nothing is kept."""
    table, now = RevocationIndex(), dict[str, RevokedToken]()
    for stays, revoked in changes:
        if stays:
            table.put(revoked)
            now[revoked.jti] = revoked
        else:
            table.remove(revoked)
            now.pop(revoked.jti, None)
    assert table.by_key() == now == {one.jti: one for one in table}
    assert [table.get(jti) for jti in "123456"] == [now.get(jti) for jti in "123456"]
    assert [jti in table for jti in "123456"] == [jti in now for jti in "123456"]
    assert len(table) == len(now)
    counts = Counter(one.client_id for one in now.values() if one.client_id)
    assert [table.count(client_id) for client_id in "abc"] == [counts[client_id] for client_id in "abc"]
    assert len(table.of_clients) == len(counts)
    counts = Counter(one.namespace for one in now.values() if one.namespace)
    assert [table.count_in(namespace) for namespace in "xyz"] == [counts[namespace] for namespace in "xyz"]
