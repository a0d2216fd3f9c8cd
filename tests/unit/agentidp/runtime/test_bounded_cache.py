"""Bounded cache: what is kept, what goes first, and that the bound holds whatever is put."""

import re

from hypothesis import given
from hypothesis import strategies as st

import agent_operator.limits
import management_api.limits
import token_service.limits
from agent_operator.cache.cluster_cache import TOMBSTONES
from agentidp.kube.events import MAX_SENT
from agentidp.runtime import bounded_cache
from agentidp.runtime.bounded_cache import BoundedCache
from tests.support.crd_schema import CHECKOUT


def test_bounded_cache_drops_the_oldest_entry() -> None:
    """Reading an entry does not make it newer; putting it again does."""
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert list(cache) == ["b", "c"]
    cache.put("b", 4)
    cache.put("d", 5)
    assert list(cache) == ["b", "d"]


def test_bounded_cache_forgets_a_discarded_entry_only() -> None:
    """A key that is not in it may be discarded, too."""
    cache: BoundedCache[str, int] = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.discard("a")
    cache.discard("absent")
    assert (cache.get("a"), cache.get("b"), len(cache)) == (None, 2, 1)


def test_bounded_cache_does_not_keep_what_exceeds_the_bound_alone() -> None:
    """It is the oldest when all others have gone for it."""
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    cache.put("small", b"1234")
    cache.put("large", b"12345678901")
    assert (list(cache), cache.size) == ([], 0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.binary(max_size=6), st.booleans()), max_size=40))
def test_bounded_cache_holds_the_newest_that_fit(operations: list[tuple[str, bytes, bool]]) -> None:
    """Against a model: a list of entries, oldest first, of which the first go while the sum of sizes exceeds the bound."""
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    model: list[tuple[str, bytes]] = []
    for key, value, is_put in operations:
        model = [entry for entry in model if entry[0] != key]
        if is_put:
            cache.put(key, value)
            model.append((key, value))
        else:
            cache.discard(key)
        while sum(len(kept) for _, kept in model) > 10:
            del model[0]
    assert [(key, cache.get(key)) for key in cache] == model
    assert cache.size == sum(len(value) for _, value in model)


def test_bounded_cache_lists_where_it_is_used() -> None:
    """The module is where people look for what is cached."""
    packages = ("agentidp", "management_api", "operator", "token_service")
    sources = {path: path.read_text() for package in packages for path in (CHECKOUT / package).rglob("*.py")}
    users = [path.relative_to(CHECKOUT).with_suffix("") for path, text in sources.items() if "] = BoundedCache(" in text]
    names = [".".join(user.parts).removeprefix("operator.") for user in users]
    assert names
    assert [name for name in names if f"`{name}`" not in (bounded_cache.__doc__ or "")] == []


def test_bounded_cache_lists_how_large_caches_are() -> None:
    """With the limits that ship."""
    service, api, operator = token_service.limits.LIMITS, management_api.limits.Limits(), agent_operator.limits.LIMITS
    entries = f"{service.max_verified_secrets:,}, {service.max_mismatches:,}, {service.max_rejected_secrets:,}"
    expected = {
        "token_service.issuance.request_cache": f"{service.request_cache_bytes:,} bytes",
        "token_service.client_secrets.verified_secrets": entries,
        "token_service.authentication.service_accounts": f"{service.max_service_accounts:,}",
        "agent_operator.leadership.status_backoff": f"{operator.max_status_records:,}",
        "agent_operator.cache.cluster_cache": f"{TOMBSTONES:,}",
        "agentidp.kube.events": f"{MAX_SENT:,}",
    }
    text = bounded_cache.__doc__ or ""
    rows = dict(re.findall(r"`([\w.]+)` \| (.*) \|", text))
    assert rows == expected
    assert f"{api.max_cache_entries:,} at most in each cache\nand {api.max_cache_entries_per_tenant:,} of a tenant" in text
