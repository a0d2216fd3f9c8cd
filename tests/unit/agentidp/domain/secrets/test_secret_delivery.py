"""The Secret of a credential: what it should look like, whose it is, what it holds, and how others' additions are kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.pretty import pretty_repr

from agentidp.domain.resources import AgentCredential, OwnerReference, Secret, SecretKeys, SecretTemplate
from agentidp.domain.secrets.client_secrets import hint_of
from agentidp.domain.secrets.secret_delivery import (
    CREDENTIAL_ID_ANNOTATION,
    SECRET_TYPE,
    Delivery,
    SecretOwnership,
    client_secret_in,
    secret_for,
    updated,
)
from tests.support.worlds import (
    AGENT_ID,
    CREDENTIAL_ID,
    ENDPOINTS,
    HOUR,
    NAMESPACE,
    a_credential,
    a_hash,
    a_secret,
    a_uid,
    a_value,
    an_issued_credential,
    delivered,
    named,
    with_metadata,
)

CREDENTIAL = an_issued_credential()
KEYS = SecretKeys(client_id="ID", client_secret="PASSWORD", token_endpoint="URL", issuer="FROM")
TEMPLATE = SecretTemplate(name="elsewhere", keys=KEYS, labels={"team": "talent"}, annotations={"example.com/why": "demo"})
SOMEBODY = OwnerReference(api_version="v1", kind="ConfigMap", name="other", uid=a_uid(3))
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
    "both were removed, but it holds what only ours held": (
        without_owner(),
        Delivery("screener-key", SecretOwnership.OURS, HINT),
    ),
    "both were removed, and it holds something else": (
        without_owner(value=b"edited"),
        Delivery("screener-key", SecretOwnership.FOREIGN),
    ),
    "both were removed, and it holds nothing": (
        replace(without_owner(), data={}),
        Delivery("screener-key", SecretOwnership.FOREIGN),
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


def test_a_provided_hash_without_a_hint_accepts_no_secret() -> None:
    """It says nothing about which value it is of."""
    credential = an_issued_credential(a_hash(1, hint=False))
    assert delivered(credential, without_owner()).holding is SecretOwnership.FOREIGN


def mended(credential: AgentCredential, secret: Secret) -> Secret:
    """What is written in its place."""
    return updated(secret, secret_for(credential, a_value(1), ENDPOINTS))


@given(
    labels=st.dictionaries(st.sampled_from(["a", "team", "app.kubernetes.io/managed-by"]), st.text(max_size=3)),
    owners=st.lists(st.sampled_from([SOMEBODY, *a_secret(CREDENTIAL).metadata.owner_references]), unique=True),
    data=st.dictionaries(st.sampled_from(["client_id", "client_secret", "more"]), st.binary(max_size=3)),
    template=st.sampled_from([SecretTemplate(), TEMPLATE, named("screener-key")]),
)
def test_a_secret_that_was_mended_is_as_declared(
    labels: dict[str, str], owners: list[OwnerReference], data: dict[str, bytes], template: SecretTemplate
) -> None:
    """Whatever was done to it; what others added stays, and mending it again changes nothing."""
    credential = an_issued_credential(secret=template)
    found = with_metadata(replace(a_secret(credential), data=data), labels=labels, owner_references=tuple(owners))
    written = mended(credential, found)
    assert delivered(credential, written).intact
    assert mended(credential, written) == written
    assert set(labels) <= set(written.metadata.labels)
    assert (SOMEBODY in written.metadata.owner_references) == (SOMEBODY in owners)
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
