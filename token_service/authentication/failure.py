"""Why a client was refused: for the log and the metrics, never for the caller."""

from enum import StrEnum

from agentidp.domain.resources.reasons import Reason
from agentidp.domain.tokens.client_assertions import AssertionFailure


class AuthenticationFailure(StrEnum):
    """Beside the reasons of agents and credentials, and the flaws of assertions."""

    UNKNOWN_CLIENT = "UnknownClient"
    """No agent has this id."""
    WRONG_SECRET = "WrongSecret"  # noqa: S105
    """The secret is not that of any credential of the agent that is accepted now."""
    OVERTAKEN = "Overtaken"
    """What accepted the secret was revoked or changed while it was checked."""
    NOT_A_PAIR = "NotAPair"
    """No client authentication, or a malformed one."""
    WORKLOAD_NOT_NAMED = "WorkloadNotNamed"
    """No agent of its namespace names the ServiceAccount, or not the one whose id was given."""
    WORKLOAD_REPLACED = "WorkloadReplaced"
    """The ServiceAccount that the token was issued to is gone; another one may have its name."""
    WORKLOAD_AMBIGUOUS = "WorkloadAmbiguous"
    """Several agents name the ServiceAccount, and no id was given."""


FailureReason = AuthenticationFailure | Reason | AssertionFailure
