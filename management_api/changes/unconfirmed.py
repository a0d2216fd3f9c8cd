"""A change that has not taken effect everywhere yet says so in an annotation, and how to undo it.

Whatever happens to the process that made it, another one finds the annotation and undoes the change: so no credential works
without anybody knowing its secret, and a rotation whose answer nobody got leaves the old secret working.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from agentidp.domain.resources import AgentCredential, CredentialState, ProvidedHash, Time
from management_api.registry.credentials import UNCONFIRMED


class What(StrEnum):
    """Kinds of changes that have a secret which somebody has to be told."""

    GENERATE = "Generate"
    ROTATE = "Rotate"


class UnconfirmedChange(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What was done in which request, the hash that came by it, and what was there before it."""

    what: What
    request_id: str
    since: Time
    hash: str
    previous: ProvidedHash | None = None
    previous_expiry: Time | None = None

    def annotation(self) -> dict[str, str]:
        """As the credential carries it."""
        return {UNCONFIRMED: msgspec.json.encode(self).decode()}

    def is_older_than(self, age: timedelta) -> bool:
        """By this machine's clock."""
        return datetime.now(UTC) - self.since > age  # `since + age` may be after the calendar


def unconfirmed_change(annotation: str | None) -> UnconfirmedChange | None:
    """What an annotation says; None where there is none, or it is not as this API writes it: then somebody else did."""
    try:
        change = msgspec.json.decode(annotation, type=UnconfirmedChange) if annotation else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return change if change and change.annotation()[UNCONFIRMED] == annotation else None


def undone(credential: AgentCredential, change: UnconfirmedChange) -> dict[str, Any]:
    """The patch that undoes a change, where the credential still says that it is unconfirmed; {} where it does not."""
    return taken_back(credential, change) if _is_marked(credential, change) else {}


def taken_back(credential: AgentCredential, change: UnconfirmedChange) -> dict[str, Any]:
    """The patch that undoes a change whose secret nobody will be told, confirmed or not; {} where nothing of it is left."""
    unmarked = {"metadata": {"annotations": {UNCONFIRMED: None}}} if _is_marked(credential, change) else {}
    if not stands(credential, change):
        return unmarked
    if change.what is What.GENERATE or change.previous is None:
        return {**unmarked, "spec": {"state": CredentialState.REVOKED.value}}
    previous = {"hash": change.previous.hash, "hint": change.previous.hint}
    expiry = change.previous_expiry.isoformat() if change.previous_expiry else None
    return {**unmarked, "spec": {"secretHash": previous, "expiresAt": expiry}}


def stands(credential: AgentCredential, change: UnconfirmedChange) -> bool:
    """Whether the credential still has the hash that came by the change, and is not revoked."""
    provided = credential.spec.secret_hash
    return provided is not None and provided.hash == change.hash and credential.spec.state is not CredentialState.REVOKED


def _is_marked(credential: AgentCredential, change: UnconfirmedChange) -> bool:
    return credential.metadata.annotations.get(UNCONFIRMED) == change.annotation()[UNCONFIRMED]
