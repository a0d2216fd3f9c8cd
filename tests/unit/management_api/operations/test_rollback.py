"""How a pending change is rolled back: by its record, and only while the credential is as the change has left it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agentidp.domain.resources import (
    AgentCredential,
    CredentialRef,
    CredentialState,
    ObjectMeta,
    Operation,
    PendingChange,
    PendingChangeSpec,
    PreviousSecret,
    ProvidedHash,
)
from management_api.cache.credentials import CHANGED_AT
from management_api.errors import ApiFailure
from management_api.operations import preconditions as rules
from management_api.operations.pending_changes import record_name, rotation
from management_api.operations.rollback import concerns, is_abandoned, rolled_back
from tests.support.worlds import CREDENTIAL_ID, MINUTE, NAMESPACE, NOW, SECOND, an_issued_credential

OLD, NEW, OTHER = (f"$2b$10${letter * 53}" for letter in "abc")
WHERE = CredentialRef(namespace=NAMESPACE, name="screener-key", uid=CREDENTIAL_ID)
ROTATED_SPEC = PendingChangeSpec(
    credential=WHERE,
    operation=Operation.ROTATE,
    hash=NEW,
    previous=PreviousSecret(hash=OLD, hint="0a0a0a0a", expires_at=NOW),
    request_id="r",
)
META = ObjectMeta(name=record_name(WHERE), creation_timestamp=NOW)
ROTATED = PendingChange(metadata=META, spec=ROTATED_SPEC)
GENERATED = PendingChange(metadata=META, spec=replace(ROTATED_SPEC, operation=Operation.GENERATE, previous=None))


def left(hashed: str = NEW, **spec: Any) -> AgentCredential:
    """A credential with this hash."""
    credential = an_issued_credential()
    return replace(credential, spec=replace(credential.spec, secret_hash=ProvidedHash(hash=hashed, hint="1b1b1b1b"), **spec))


ROLLED_BACK: dict[str, tuple[AgentCredential, PendingChange, dict[str, Any]]] = {
    "what was generated is revoked": (left(), GENERATED, {"spec": {"state": "Revoked"}}),
    "what was rotated has its hash from before": (
        left(),
        ROTATED,
        {"spec": {"secretHash": {"hash": OLD, "hint": "0a0a0a0a"}, "expiresAt": NOW.isoformat()}},
    ),
    "what has another hash by now keeps it": (left(OTHER), ROTATED, {}),
    "what has its hash from before already keeps it": (left(OLD), ROTATED, {}),
    "what was revoked meanwhile stays so": (left(state=CredentialState.REVOKED), ROTATED, {}),
    "what is delivered to a Secret by now stays so": (an_issued_credential(), ROTATED, {}),
}


@pytest.mark.parametrize("what", ROLLED_BACK)
def test_rolling_back(what: str) -> None:
    """As the row says."""
    credential, change, patch = ROLLED_BACK[what]
    assert rolled_back(change, credential) == patch


STANDING = {"it has the hash": left(), "it has another hash": left(OTHER), "it is revoked": left(state=CredentialState.REVOKED)}


@pytest.mark.parametrize("what", STANDING)
def test_only_what_stands_is_told(what: str) -> None:
    """Else its secret would be told, and refused."""
    if what == "it has the hash":
        rules.require_standing(STANDING[what], ROTATED)
    else:
        with pytest.raises(ApiFailure):
            rules.require_standing(STANDING[what], ROTATED)


def test_a_record_is_of_one_object() -> None:
    """A credential that came under the same name is another; one that did not exist yet is whichever has the hash."""
    other = replace(left(), metadata=replace(left().metadata, uid="another"))
    anyone = replace(GENERATED, spec=replace(GENERATED.spec, credential=replace(WHERE, uid=None)))
    assert [concerns(ROTATED, one) for one in (left(), other)] == [True, False]
    assert [concerns(anyone, one) for one in (left(), other)] == [True, True]


@pytest.mark.parametrize(("age", "abandoned"), [(-MINUTE, False), (SECOND, False), (MINUTE, True)])
def test_a_change_is_abandoned_when_its_record_is_older_than_a_request_lives(age: timedelta, abandoned: bool) -> None:
    """The API server gives the time; one that a record says of itself would be its writer's."""
    assert is_abandoned(ROTATED, NOW + age, 40 * SECOND) == abandoned


def test_what_is_put_back_is_what_was_read() -> None:
    """And from nothing that its annotations say."""
    before = left(OLD, expires_at=NOW)
    forged = {"idp.sentryagent.ai/unconfirmed": OTHER}
    forging = replace(before, metadata=replace(before.metadata, annotations=forged))
    for credential in (before, forging):
        recorded = rotation(credential, NEW, "r")
        assert recorded.previous == PreviousSecret(hash=OLD, hint="1b1b1b1b", expires_at=NOW)


def test_a_write_that_comes_after_the_rolling_back_is_refused() -> None:
    """Whoever rolls a change back of which nothing is to be seen yet leaves the time; the generation stays."""
    before = left(OLD)
    after = replace(before, metadata=replace(before.metadata, annotations={CHANGED_AT: "later"}))
    assert rules.unless_overtaken(before, before, {"spec": {}}) == {"spec": {}}
    with pytest.raises(ApiFailure, match="came first"):
        rules.unless_overtaken(before, after, {"spec": {}})


def test_names_of_records_tell_credentials_apart() -> None:
    """Whatever their names have in common."""
    names = [("a", "b.c"), ("a.b", "c"), ("a", "b-c"), ("a-b", "c")]
    assert len({record_name(CredentialRef(namespace=one, name=other)) for one, other in names}) == len(names)
