"""Why a pair was refused: for the log and the metrics, never for the caller."""

from enum import StrEnum

from agentidp.domain.reasons import Reason


class Refusal(StrEnum):
    """Beside the reasons of agents and credentials."""

    UNKNOWN_CLIENT = "UnknownClient"
    """No agent has this id."""
    WRONG_SECRET = "WrongSecret"  # noqa: S105
    """The secret is not that of any credential of the agent that is accepted now."""
    OVERTAKEN = "Overtaken"
    """What accepted the secret was revoked or changed while it was checked."""
    NOT_A_PAIR = "NotAPair"
    """No client authentication, or a malformed one."""


Why = Refusal | Reason
