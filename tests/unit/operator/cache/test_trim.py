"""What is remembered of an object is bounded in sum, however large a tenant makes it. Bytes are counted as JSON."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache, Store
from agent_operator.cache.trim import MAX_OWNERS, MAX_SECRET_BYTES, SecretIdentity, trimmed_secret
from agent_operator.last_used import LastUsedRecord
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import WorkQueue
from agentidp.domain.resources import GROUP, AgentCredential, ObjectMeta, OwnerReference, Secret, SecretMeta
from agentidp.domain.resources.secret import FieldLeaf, FieldsV1, ManagedFieldsEntry, MetadataFields
from agentidp.domain.secrets.secret_delivery import CREDENTIAL_ID_ANNOTATION, FIELD_MANAGER, SECRET_TYPE
from tests.support.worlds import (
    ENDPOINTS,
    NAMESPACE,
    a_registered_agent,
    a_secret,
    a_uid,
    an_issued_credential,
    an_organization,
    named,
    respecified,
    with_metadata,
)

MIB = 2**20
MAX_OBJECT_BYTES = 2 * MAX_SECRET_BYTES
SECRETS, VALUES, VALUE = 500, 220, b"x" * 4096
OWNERS = tuple(
    OwnerReference(api_version="idp.sentryagent.ai/v1alpha1", kind="AgentCredential", name="one", uid=a_uid(number))
    for number in range(10_000)
)
MANY_FIELDS = MetadataFields(labels={f"f:example.com/{number}": FieldLeaf() for number in range(15_000)})
LARGE: dict[str, dict[str, Any]] = {
    "annotations": {"annotations": {f"{number}": "x" * 4096 for number in range(64)}},
    "an id of a MiB": {"annotations": {CREDENTIAL_ID_ANNOTATION: "x" * MIB}},
    "labels": {"labels": {f"example.com/{number}": "x" * 63 for number in range(15_000)}},
    "owners": {"owner_references": OWNERS},
    "an owner's name": {"owner_references": (replace(OWNERS[0], name="x" * MIB),)},
    "the version of an owner": {"owner_references": (replace(OWNERS[0], api_version=f"{GROUP}/{'v' * MIB}"),)},
    "finalizers": {"finalizers": tuple(f"example.com/{number}" for number in range(10_000))},
    "managed fields": {
        "managed_fields": (ManagedFieldsEntry(manager=FIELD_MANAGER, fields_v1=FieldsV1(metadata=MANY_FIELDS)),)
    },
}


def remembered(store: Store[Any]) -> int:
    """Bytes of everything in it."""
    return sum(len(msgspec.json.encode(one)) for one in store)


def many_secrets(number: int = SECRETS, **metadata: Any) -> list[Secret]:
    """As large as the API server takes, of the operator's type."""
    data = {f"key-{one}": VALUE for one in range(VALUES)}
    meta = SecretMeta(namespace=NAMESPACE, **metadata)
    return [
        Secret(metadata=replace(meta, name=f"big-{one}", uid=a_uid(one), resource_version="1"), type=SECRET_TYPE, data=data)
        for one in range(number)
    ]


def a_cache(*credentials: AgentCredential) -> ClusterCache:
    """It knows these credentials."""
    cache = ClusterCache(WorkQueue())
    for credential in credentials:
        cache.credentials.put(credential)
    return cache


def renamed(credential: AgentCredential, number: int) -> AgentCredential:
    """Another one, which names the Secret of this number."""
    meta = replace(credential.metadata, name=f"one-{number}", uid=a_uid(10_000 + number))
    return replace(credential, metadata=meta, spec=replace(credential.spec, secret=named(f"big-{number}")))


@pytest.mark.parametrize("whose", ["nobody's", "of one owner", "named by a credential each"])
def test_of_many_large_secrets_little_is_remembered(whose: str) -> None:
    """Whether a credential owns them, or credentials name them."""
    owners = OWNERS[:1] if whose == "of one owner" else ()
    credentials = [renamed(an_issued_credential(), number) for number in range(SECRETS)] if "each" in whose else []
    cache = a_cache(*credentials)
    for secret in many_secrets(owner_references=owners):
        cache.secrets.put(secret)
    assert len(cache.secrets) == SECRETS
    assert remembered(cache.secrets) < SECRETS * 512


@pytest.mark.parametrize("what", LARGE)
@pytest.mark.parametrize("named_by", ["nobody", "a credential"])
def test_metadata_of_a_secret_is_bounded_too(what: str, named_by: str) -> None:
    """And so is what is indexed of it."""
    cache = a_cache(*[an_issued_credential()] * (named_by == "a credential"))
    cache.secrets.put(with_metadata(a_secret(an_issued_credential()), **LARGE[what]))
    assert remembered(cache.secrets) < MAX_OBJECT_BYTES
    assert sum(bool(cache.secrets.by_index(owner.uid)) for owner in OWNERS) <= 16


LONG_TEXTS = st.builds(lambda text, times: text * times, st.text(max_size=20), st.sampled_from([1, 10_000]))
ANY_OWNERS = st.lists(
    st.builds(
        OwnerReference,
        api_version=st.one_of(LONG_TEXTS, LONG_TEXTS.map(f"{GROUP}/{{}}".format)),
        kind=st.one_of(LONG_TEXTS, st.just("AgentCredential")),
        name=LONG_TEXTS,
        uid=st.one_of(LONG_TEXTS, st.just(a_uid(1))),
        controller=st.booleans(),
    ),
    max_size=2 * MAX_OWNERS,
).map(tuple)


@given(ANY_OWNERS)
def test_of_owners_only_the_uids_are_remembered(owners: tuple[OwnerReference, ...]) -> None:
    """The API server bounds no text of an owner reference: some 600 bytes are the Secret's, as the threat model says."""
    kept = trimmed_secret(with_metadata(a_secret(an_issued_credential()), owner_references=owners), named=False)
    uids = [one.uid for one in kept.metadata.owner_references]
    assert len(uids) <= MAX_OWNERS
    assert len(msgspec.json.encode(kept)) <= 600 + sum(100 + len(msgspec.json.encode(uid)) for uid in uids)
    assert all(len(uid) <= len(a_uid(1)) * 2 for uid in uids)


KINDS: dict[str, Callable[[ClusterCache], tuple[Store[Any], Any]]] = {
    "Agent": lambda cache: (cache.agents, a_registered_agent()),
    "AgentCredential": lambda cache: (cache.credentials, an_issued_credential()),
    "Organization": lambda cache: (cache.organizations, an_organization()),
}


@pytest.mark.parametrize("what", [what for what in LARGE if LARGE[what].keys() <= set(ObjectMeta.__struct_fields__)])
@pytest.mark.parametrize("kind", KINDS)
def test_metadata_of_our_kinds_is_not_remembered(kind: str, what: str) -> None:
    """The schemas bound spec and status; what a person adds beside them is left out."""
    store, one = KINDS[kind](ClusterCache(WorkQueue()))
    store.put(replace(one, metadata=replace(one.metadata, **LARGE[what])))
    assert remembered(store) == len(msgspec.json.encode(one))


def gatherer_of(cache: ClusterCache, secret: Secret) -> Gatherer:
    """The API server has this Secret."""

    class Cluster:
        async def find(self, _kind: Any, *_name: str) -> Secret:
            return secret

    cluster: Any = Cluster()
    return Gatherer(cluster, cache, ENDPOINTS, LastUsedRecord(), 100)


async def test_a_secret_that_a_credential_comes_to_name_is_remembered_once_it_was_read() -> None:
    """Until then nothing is decided from memory."""
    credential = an_issued_credential()
    secret, cache = a_secret(credential), a_cache()
    cache.secrets.put(secret)
    cache.credentials.put(credential)
    gatherer = gatherer_of(cache, secret)
    assert gatherer.gather_from_cache(credential).is_partial
    await gatherer.gather_live(credential)
    assert gatherer.gather_from_cache(credential).secret == secret


async def test_a_large_secret_is_read_each_time() -> None:
    """Memory says of it that it is there, and no more: neither that it is foreign, nor that its value is not accepted."""
    credential = an_issued_credential()
    secret = with_metadata(a_secret(credential), **LARGE["annotations"])
    cache = a_cache(credential)
    cache.secrets.put(secret)
    gatherer = gatherer_of(cache, secret)
    for _ in range(2):
        assert gatherer.gather_from_cache(credential).is_partial
        gathered = await gatherer.gather_live(credential)
        assert (gathered.secret, gathered.is_partial) == (secret, False)


def test_a_secret_that_is_no_longer_named_is_forgotten() -> None:
    """Else one credential that names one Secret after the other would have all of them remembered."""
    credential = an_issued_credential()
    cache = a_cache(credential)
    cache.secrets.put(a_secret(credential))
    assert not isinstance(cache.secrets.get(a_secret(credential).key), SecretIdentity)
    moved = respecified(credential, secret=named("elsewhere"))
    moved = replace(moved, metadata=replace(moved.metadata, resource_version="2"), status=replace(moved.status, binding=None))
    cache.credentials.put(moved)
    assert isinstance(cache.secrets.get(a_secret(credential).key), SecretIdentity)
    assert [one.metadata.name for one in cache.secrets_of(moved)] == [credential.secret_name]


def test_what_was_forgotten_of_a_secret_is_no_news() -> None:
    """The same version wakes nobody again, or it would be worked on for ever."""
    credential = an_issued_credential()
    work = WorkQueue()
    cache = ClusterCache(work)
    secret = with_metadata(a_secret(credential), **LARGE["annotations"])
    cache.secrets.put(secret)
    cache.credentials.put(credential)
    before = cache.secrets.get(secret.key)
    cache.secrets.put(secret)
    assert cache.secrets.get(secret.key) is before
