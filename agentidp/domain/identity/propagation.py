"""Whether a change of a credential is in force in a replica of the token service: what the management API asks and is told.

What is told never names a hash or a secret: a fingerprint of the hash stands for it.
"""

from collections.abc import Iterable

from msgspec import Struct

from agentidp.domain.identity.client_status import credential_end, current_hashes
from agentidp.domain.identity.clients import ClientCredential, client_credential
from agentidp.domain.resources import AgentCredential
from agentidp.domain.secrets.last_used import fingerprint

APPLIED_PATH = "/internal/applied"
AUDIENCE = "agentidp-internal"
"""Of the ServiceAccount token with which it is asked: one that is good for nothing else, the API server least of all."""
LONGEST_WAIT = 10.0
"""Seconds that a replica waits for its watch at most before it tells how far it is."""


class ReplicaState(Struct, frozen=True, kw_only=True):
    """What a replica tells about a credential; an array of one is sent, because earlier versions sent one for each process."""

    serving: bool
    """It gives tokens. One that does not, since it has not listed yet, will not begin before it knows the version asked for."""
    caught_up: bool = False
    """Everything up to the version asked for is in force here."""
    accepts: tuple[str, ...] = ()
    """Fingerprints of the hashes that accept a secret of this credential, youngest first."""


def accepting(credential: ClientCredential | None, now: float) -> tuple[str, ...]:
    """The fingerprints of the hashes that accept a secret of this credential, if its agent gets tokens at all."""
    if credential is None or credential_end(credential, now):
        return ()
    return tuple(fingerprint(one.hash) for one in current_hashes(credential, now))


def youngest_of(credential: AgentCredential, now: float) -> str | None:
    """The fingerprint of the hash that accepts the newest secret, as the resource has it; None where none is accepted."""
    return next(iter(accepting(client_credential(credential), now)), None)


def is_in_force(told: Iterable[ReplicaState], youngest: str | None) -> bool:
    """Whether every replica that gives tokens accepts the newest secret, or none at all where none is to be accepted."""
    return all(youngest in one.accepts if youngest else not one.accepts for one in told if one.serving)
