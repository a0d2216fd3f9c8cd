"""The result of client authentication: the client, or the reason of the failure, the exception that carries it, and the log.

Reasons are for the log and the metrics. The caller gets one answer for all of them (`invalid_client`), so that no answer tells
whether a client exists, or is suspended, revoked or expired.
"""

import time
from collections.abc import Callable
from enum import StrEnum

import structlog
from msgspec import Struct

from agentidp.domain.identity.clients import ClientAgent, ClientCredential, ClientHash, ClientOrganization, is_client_id
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.client_assertions import AssertionFailure, Workload
from agentidp.runtime.logs import LogLimit

log = structlog.get_logger()


class AuthenticationFailure(StrEnum):
    """Reasons that are neither those of an agent or a credential nor those of a client assertion."""

    UNKNOWN_CLIENT = "UnknownClient"
    """No agent has this id."""
    WRONG_SECRET = "WrongSecret"  # noqa: S105
    """The secret is not that of any credential of the agent that is accepted now."""
    SUPERSEDED = "Overtaken"  # the value is older than the name and stays (decision 40)
    """The hash that accepted the secret was revoked or changed while the secret was checked."""
    NO_CLIENT_AUTHENTICATION = "NotAPair"  # the value is older than the name and stays (decision 40)
    """The request has no client authentication, or a malformed one."""
    WORKLOAD_NOT_NAMED = "WorkloadNotNamed"
    """No agent of its namespace names the ServiceAccount, or not the one whose id was given."""
    WORKLOAD_REPLACED = "WorkloadReplaced"
    """The ServiceAccount that the token was issued to is gone; another one may have its name."""
    WORKLOAD_AMBIGUOUS = "WorkloadAmbiguous"
    """Several agents name the ServiceAccount, and no id was given."""


FailureReason = AuthenticationFailure | Reason | AssertionFailure


class AuthenticationFailed(Exception):
    """The client is not authenticated. `workload` is one whose token the cluster has signed."""

    def __init__(self, reason: FailureReason, client_id: str | None = None, workload: Workload | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.client_id = client_id
        self.workload = workload


class FailureLog:
    """Logs each failure while there are few, their number while there are many (`LogLimit`), and counts all of them.

    No line holds a secret, an assertion or an Authorization header.
    """

    def __init__(self, count: Callable[[FailureReason], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._limit = LogLimit(clock)

    def add(self, failure: AuthenticationFailed) -> None:
        """Count the failure, and log it within the limit."""
        self._count(failure.reason)
        left_out = self._limit.take()
        if left_out is None:
            return
        client_id = failure.client_id
        fields = {} if failure.workload is None else {"service_account": str(failure.workload)}
        log.info(
            "client refused",
            client_id=client_id if client_id and is_client_id(client_id) else None,  # other text may be a secret
            reason=failure.reason.value,
            left_out_before=left_out,
            **fields,
        )


class AuthenticatedClient(Struct, frozen=True, gc=False):
    """The client is this agent, by the token of one of its workloads or by a secret. An agent's id is its `client_id`."""

    agent: ClientAgent
    organization: ClientOrganization | None
    until: float
    """When the client has to authenticate anew even if nothing changes, in seconds since the epoch."""

    @property
    def credential_id(self) -> str | None:
        """The id of the credential that accepted the secret; None for a workload."""
        return None


class ClientBySecret(AuthenticatedClient, frozen=True, gc=False):
    """The client is this agent by a secret of this credential, which `hash` has accepted."""

    credential: ClientCredential
    hash: ClientHash

    @property
    def credential_id(self) -> str:
        """The id of the credential."""
        return self.credential.credential_id
