"""What a change waits for last: every replica of the token service that gives tokens acts by it."""

from collections.abc import Sequence
from typing import Protocol

from agentidp.domain.resources import AgentCredential


class NotPropagated(Exception):
    """Not every replica has told in time that it acts by the change. The words are for the caller, `replicas` for the log."""

    def __init__(self, message: str, replicas: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.replicas = tuple(replicas)


class Superseded(NotPropagated):
    """All have told, and none acts by it any more: the credential has changed again."""


class PropagationCheck(Protocol):
    """Asks the replicas."""

    async def ready(self) -> None:
        """Return when every replica answers: else a change could not be confirmed, so it is not begun. Raises Unconfirmed."""

    async def wait(self, credential: AgentCredential) -> None:
        """Return when every replica acts by this version of the credential, or a later one. Raises Unconfirmed or Overtaken."""
