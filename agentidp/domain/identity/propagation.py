"""Propagation of a change to the replicas of the token service, which the management API asks for.

A change is in effect in a replica when its cache has the changed credential. An answer has no hash and no secret: a fingerprint
identifies a hash.
"""

from collections.abc import Iterable

from msgspec import Struct

from agentidp.domain.identity.client_status import credential_end, current_hashes
from agentidp.domain.identity.clients import ClientCredential, client_credential
from agentidp.domain.resources import AgentCredential
from agentidp.domain.secrets.last_used import fingerprint

APPLIED_PATH = "/internal/applied"
AUDIENCE = "agentidp-internal"
"""The audience of the ServiceAccount token of such a request, so nothing else accepts that token, not even the API server."""
LONGEST_WAIT = 10.0
"""Seconds that a replica waits for its watch at most before it answers."""


class ReplicaState(Struct, frozen=True, kw_only=True):
    """The state of a credential in a replica. An array of one is sent, because earlier versions sent one for each process."""

    serving: bool
    """It issues tokens. A replica that has not listed yet does not begin before it has the requested version."""
    caught_up: bool = False
    """Every change up to the requested version is in effect."""
    accepts: tuple[str, ...] = ()
    """Fingerprints of the current hashes of this credential, youngest first."""


def accepting(credential: ClientCredential | None, now: float) -> tuple[str, ...]:
    """The fingerprints of the current hashes of a credential, youngest first; none where it has ended."""
    if credential is None or credential_end(credential, now):
        return ()
    return tuple(fingerprint(entry.hash) for entry in current_hashes(credential, now))


def youngest_of(credential: AgentCredential, now: float) -> str | None:
    """The fingerprint of the youngest current hash of the resource; None where it has none."""
    return next(iter(accepting(client_credential(credential), now)), None)


def is_in_effect(states: Iterable[ReplicaState], youngest: str | None) -> bool:
    """Whether every replica that issues tokens accepts the newest secret, or no secret where there is none to accept."""
    return all(youngest in state.accepts if youngest else not state.accepts for state in states if state.serving)
