"""What a change waits for last: every ready replica of the token service acts by it."""

from typing import Protocol

from agentidp.domain.resources import AgentCredential


class Unconfirmed(Exception):
    """In the time there was, not every replica has told that it acts by the change; says which."""


class Barrier(Protocol):
    """Asks the replicas."""

    async def wait(self, credential: AgentCredential) -> None:
        """Return when every ready replica has applied this version of the credential. Raises Unconfirmed."""
