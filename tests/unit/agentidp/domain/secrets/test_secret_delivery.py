"""The Secret of a credential: what it should look like, whose it is, what it holds, and how others' additions are kept."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.pretty import pretty_repr

from agentidp.domain.resources import AgentCredential, Binding, OwnerReference, Secret, SecretKeys, SecretTemplate
from agentidp.domain.resources.secret import FieldLeaf, FieldsV1, ManagedFieldsEntry, MetadataFields
from agentidp.domain.secrets.client_secrets import hint_of
from agentidp.domain.secrets.secret_delivery import (
    CREDENTIAL_ID_ANNOTATION,
    FIELD_MANAGER,
    SECRET_TYPE,
    Delivery,
    SecretOwnership,
    changes,
    client_secret_in,
    secret_for,
    with_own_fields_only,
)
from agentidp.kube.client import STRATEGIC_MERGE_PATCH
from agentidp.kube.kinds import SECRETS
from tests.support.model_cluster import merged
from tests.support.worlds import (
    AGENT_ID,
    CREDENTIAL_ID,
    ENDPOINTS,
    HOUR,
    NAMESPACE,
    NOW,
    a_credential,
    a_hash,
    a_secret,
    a_uid,
    a_value,
    an_issued_credential,
    delivered,
    named,
    restated,
    with_metadata,
)

CREDENTIAL = an_issued_credential()
KEYS = SecretKeys(client_id="ID", client_secret="PASSWORD", token_endpoint="URL", issuer="FROM")
TEMPLATE = SecretTemplate(name="elsewhere", keys=KEYS, labels={"team": "talent"}, annotations={"example.com/why": "demo"})
SOMEBODY = OwnerReference(api_version="v1", kind="ConfigMap", name="other", uid=a_uid(3))
CONTROLLER = replace(SOMEBODY, uid=a_uid(4), controller=True)
OWNER = a_secret(CREDENTIAL).metadata.owner_references[0]
HINT = hint_of(CREDENTIAL_ID, a_value(1))


def test_a_secret_holds_the_pair_and_where_to_use_it() -> None:
    """Under the names that clients expect, unless others are declared."""
    secret = secret_for(CREDENTIAL, a_value(1), ENDPOINTS)
    assert (secret.key, secret.type) == ((NAMESPACE, "screener-key"), SECRET_TYPE)
    assert secret.data == {
        "client_id": AGENT_ID.encode(),
        "client_secret": a_value(1),
        "token_endpoint": b"https://idp.example/api/v1/token",
        "issuer": b"https://idp.example",
    }


def test_a_secret_looks_as_it_is_declared() -> None:
    """Its name, its keys, its labels and annotations; ours are beside them."""
    secret = secret_for(an_issued_credential(secret=TEMPLATE), a_value(1), ENDPOINTS)
    assert secret.metadata.name == "elsewhere"
    assert set(secret.data) == {"ID", "PASSWORD", "URL", "FROM"}
    assert secret.metadata.labels == {"team": "talent", "app.kubernetes.io/managed-by": "agentidp"}
    assert secret.metadata.annotations == {"example.com/why": "demo", CREDENTIAL_ID_ANNOTATION: CREDENTIAL_ID}


def test_a_secret_is_removed_with_its_credential() -> None:
    """The garbage collector does it, whether the operator is up or not; nothing waits for that."""
    (owner,) = secret_for(CREDENTIAL, a_value(1), ENDPOINTS).metadata.owner_references
    assert (owner.kind, owner.name, owner.uid) == ("AgentCredential", "screener-key", CREDENTIAL_ID)
    assert (owner.controller, owner.block_owner_deletion) == (True, False)


def without_owner(**changes: Any) -> Secret:
    """The credential's Secret after somebody removed what shows whose it is."""
    secret = a_secret(CREDENTIAL, **changes)
    return with_metadata(secret, owner_references=(), annotations={})


HOLDINGS: dict[str, tuple[Secret | None, Delivery]] = {
    "there is none": (None, Delivery("screener-key")),
    "it is as it was written": (a_secret(CREDENTIAL), Delivery("screener-key", SecretOwnership.OURS, HINT, intact=True)),
    "its owner was removed": (
        with_metadata(a_secret(CREDENTIAL), owner_references=()),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "its annotation was removed": (
        with_metadata(a_secret(CREDENTIAL), annotations={}),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "both were removed, and the status names it": (
        without_owner(),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "both were removed, the status names it, and it holds something else": (
        without_owner(value=b"edited"),
        Delivery("screener-key", SecretOwnership.OURS, hint_of(CREDENTIAL_ID, b"edited")),
    ),
    "both were removed, the status names it, and it holds nothing": (
        replace(without_owner(), data={}),
        Delivery("screener-key", SecretOwnership.OURS),
    ),
    "it is being deleted": (
        with_metadata(a_secret(CREDENTIAL), deletion_timestamp=NOW, finalizers=("example.com/backup",)),
        Delivery("screener-key", SecretOwnership.OURS, HINT, intact=True, terminating=True),
    ),
    "somebody else is its controller": (
        with_metadata(a_secret(CREDENTIAL), owner_references=(replace(OWNER, controller=False), CONTROLLER)),
        Delivery("screener-key", SecretOwnership.OURS, HINT, intact=True),
    ),
    "nobody is its controller": (
        with_metadata(a_secret(CREDENTIAL), owner_references=(replace(OWNER, controller=False), SOMEBODY)),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "an object of our kind's name owns it, and the status names it": (
        with_metadata(a_secret(CREDENTIAL), owner_references=(replace(OWNER, api_version="example.com/v1", uid=a_uid(8)),)),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "it is of another type": (replace(a_secret(CREDENTIAL), type="Opaque"), Delivery("screener-key", SecretOwnership.FOREIGN)),
    "another credential owns it": (
        a_secret(an_issued_credential(uid=a_uid(8))),
        Delivery("screener-key", SecretOwnership.FOREIGN),
    ),
    "another credential owns it, and its value is ours": (
        with_metadata(a_secret(an_issued_credential(uid=a_uid(8))), annotations={}),
        Delivery("screener-key", SecretOwnership.FOREIGN),
    ),
    "its value was edited": (
        a_secret(CREDENTIAL, b"edited"),
        Delivery("screener-key", SecretOwnership.OURS, hint_of(CREDENTIAL_ID, b"edited"), intact=True),
    ),
    "its value is empty": (a_secret(CREDENTIAL, b""), Delivery("screener-key", SecretOwnership.OURS, None, intact=True)),
    "its client id was edited": (
        replace(a_secret(CREDENTIAL), data=a_secret(CREDENTIAL).data | {"client_id": b"edited"}),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "its value stands under another key": (
        replace(a_secret(CREDENTIAL), data={"password": a_value(1)}),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "others have put labels, annotations and owners beside ours": (
        with_metadata(
            a_secret(CREDENTIAL),
            labels=a_secret(CREDENTIAL).metadata.labels | {"team": "talent"},
            annotations=a_secret(CREDENTIAL).metadata.annotations | {"example.com/seen": "yes"},
            owner_references=(*a_secret(CREDENTIAL).metadata.owner_references, SOMEBODY),
        ),
        Delivery("screener-key", SecretOwnership.OURS, HINT, intact=True),
    ),
}


@pytest.mark.parametrize(("secret", "expected"), HOLDINGS.values(), ids=HOLDINGS)
def test_what_is_seen_of_a_secret(secret: Secret | None, expected: Delivery) -> None:
    """Whose it is, the hint of its value, and whether everything else is as declared."""
    assert delivered(CREDENTIAL, secret) == expected


def test_an_edited_value_beside_an_accepted_one_is_not_used() -> None:
    """The keys were renamed, and somebody wrote the new one first."""
    secret = replace(a_secret(CREDENTIAL), data={"client_secret": b"edited", "old": a_value(1)})
    assert client_secret_in(secret, CREDENTIAL) == a_value(1)


def test_of_two_accepted_values_the_declared_one_is_used() -> None:
    """The other is of an old secret in its overlap."""
    credential = an_issued_credential(a_hash(1, ends=HOUR), a_hash(2))
    secret = replace(a_secret(credential), data={"old": a_value(1), "client_secret": a_value(2)})
    assert client_secret_in(secret, credential) == a_value(2)


@pytest.mark.parametrize("binding", [None, Binding(name="another")], ids=["nothing", "another Secret"])
def test_a_copy_without_an_owner_is_not_ours(binding: Binding | None) -> None:
    """Decision 43: the annotation and the value of a copy prove nothing. The status names `binding`."""
    copy = with_metadata(a_secret(CREDENTIAL), owner_references=())
    assert delivered(restated(CREDENTIAL, binding=binding), copy).holding is SecretOwnership.FOREIGN


def entry(manager: str, *labels: str, annotations: tuple[str, ...] = ()) -> ManagedFieldsEntry:
    """What the API server says of a manager's labels and annotations."""
    fields = MetadataFields(
        labels={f"f:{label}": FieldLeaf() for label in labels}, annotations={f"f:{one}": FieldLeaf() for one in annotations}
    )
    return ManagedFieldsEntry(manager=manager, fields_v1=FieldsV1(metadata=fields))


MANAGERS: dict[str, tuple[tuple[ManagedFieldsEntry, ...], bool]] = {
    "the operator wrote it": ((entry(FIELD_MANAGER, "team"),), True),
    "another manager wrote it": ((entry(FIELD_MANAGER), entry("kubectl-label", "team")), False),
    "both did": ((entry(FIELD_MANAGER, "team"), entry("argocd-controller", "team")), False),
    "nobody is known to have written it": ((), False),
    "the operator wrote it as another operation": ((entry(FIELD_MANAGER), entry(FIELD_MANAGER, "team")), True),
}


@pytest.mark.parametrize(("managers", "goes"), MANAGERS.values(), ids=MANAGERS)
def test_what_is_no_longer_declared_goes_where_only_the_operator_wrote_it(
    managers: tuple[ManagedFieldsEntry, ...], goes: bool
) -> None:
    """By the managed fields, which API servers keep for every writer, and so for earlier versions of the operator as well."""
    secret = a_secret(CREDENTIAL)
    labelled = with_metadata(secret, labels=secret.metadata.labels | {"team": "talent"}, managed_fields=managers)
    change = changes(labelled, secret_for(CREDENTIAL, a_value(1), ENDPOINTS))
    assert change == ({"metadata": {"labels": {"team": None}}} if goes else {})


def test_an_annotation_that_is_no_longer_declared_goes_as_well() -> None:
    """What is not there any more is not removed once more."""
    secret = a_secret(CREDENTIAL)
    managers = (entry(FIELD_MANAGER, "gone", annotations=("why", "gone", CREDENTIAL_ID_ANNOTATION)),)
    noted = with_metadata(secret, annotations=secret.metadata.annotations | {"why": "demo"}, managed_fields=managers)
    assert changes(noted, secret_for(CREDENTIAL, a_value(1), ENDPOINTS)) == {"metadata": {"annotations": {"why": None}}}
    remembered = replace(noted, metadata=with_own_fields_only(noted.metadata))
    assert changes(remembered, secret) == changes(noted, secret)


def test_a_patch_names_nothing_but_what_differs() -> None:
    """So all that others have set stays, whatever it is."""
    wanted = secret_for(CREDENTIAL, a_value(2), ENDPOINTS)
    assert changes(a_secret(CREDENTIAL), wanted) == {"data": {"client_secret": a_value(2)}}
    bare = replace(without_owner(), data={"more": b"1"})
    assert changes(bare, wanted) == {
        "data": {"more": None, **wanted.data},
        "metadata": {
            "annotations": {CREDENTIAL_ID_ANNOTATION: CREDENTIAL_ID},
            "ownerReferences": [{**msgspec.to_builtins(OWNER), "controller": True}],
        },
    }


def mended(credential: AgentCredential, secret: Secret) -> Secret:
    """What is there after the write."""
    change = changes(secret, secret_for(credential, a_value(1), ENDPOINTS))
    return merged(SECRETS, secret, change, STRATEGIC_MERGE_PATCH)


@given(
    labels=st.dictionaries(st.sampled_from(["a", "team", "app.kubernetes.io/managed-by"]), st.text(max_size=3)),
    owners=st.sampled_from([(), (OWNER,), (SOMEBODY,), (SOMEBODY, OWNER), (CONTROLLER,), (CONTROLLER, SOMEBODY)]),
    data=st.dictionaries(st.sampled_from(["client_id", "client_secret", "more"]), st.binary(max_size=3)),
    template=st.sampled_from([SecretTemplate(), TEMPLATE, named("screener-key")]),
)
def test_a_secret_that_was_mended_is_as_declared(
    labels: dict[str, str], owners: tuple[OwnerReference, ...], data: dict[str, bytes], template: SecretTemplate
) -> None:
    """Whatever was done to it; what others added stays, and mending it again changes nothing."""
    credential = an_issued_credential(secret=template)
    found = with_metadata(replace(a_secret(credential), data=data), labels=labels, owner_references=owners)
    written = mended(credential, found)
    assert delivered(credential, written).intact
    assert mended(credential, written) == written
    assert set(labels) <= set(written.metadata.labels)
    assert {owner for owner in owners if owner.uid != OWNER.uid} <= set(written.metadata.owner_references)
    assert sum(owner.controller for owner in written.metadata.owner_references) == 1
    assert written.metadata.resource_version == found.metadata.resource_version


def test_a_secret_is_never_shown() -> None:
    """Neither in a log line, nor in a trace that rich prints."""
    secret = a_secret(CREDENTIAL)
    shown = f"{secret} {secret!r} {pretty_repr([secret])} {delivered(CREDENTIAL, secret)!r}"
    assert "client_secret" in shown
    assert a_value(1).decode() not in shown


def test_an_undelivered_credential_has_no_client_id_to_show() -> None:
    """The executor writes a Secret only when its credential has its id; until then nothing is made up."""
    assert secret_for(a_credential(), a_value(1), ENDPOINTS).data["client_id"] == b""
