"""What can go wrong between an operator and its API server, write by write, and what the operator has promised so far."""

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from agentidp.domain.resources import Agent, AgentCredential, CredentialStatus, Secret
from tests.support.reconciling import ApiServer, Network

T = TypeVar("T")


class Fault(Enum):
    """What becomes of one write."""

    NONE = auto()
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    ANSWER_LOST = auto()
    LATE = auto()
    CONFLICT = auto()


class Interrupted(Exception):
    """The operator got no further."""


class WatchedApi(ApiServer):
    """Remembers which versions of Secrets are as the operator wrote them, for as long as they should be accepted."""

    def __init__(self, credential: AgentCredential, agent: Agent | None) -> None:
        super().__init__(credential, agent)
        self.promised: set[str] = set()
        self.decided_generation = 0

    def replace_status(self, credential: AgentCredential, status: CredentialStatus) -> AgentCredential:
        """A status without hashes, or one for a provided hash, withdraws what was delivered before."""
        written = super().replace_status(credential, status)
        self.decided_generation = credential.metadata.generation
        if not status.secret_hashes or credential.spec.secret_hash:
            self.promised.clear()
        return written

    def replace_secret(self, secret: Secret) -> Secret:
        """A promise: this value is accepted from now on."""
        written = super().replace_secret(secret)
        self.promised.add(written.metadata.resource_version)
        return written

    def touch(self) -> None:
        """Changes nothing about promises."""
        kept = {name for name, one in self.secrets.items() if one.metadata.resource_version in self.promised}
        super().touch()
        self.promised |= {self.secrets[name].metadata.resource_version for name in kept}


class FaultyNetwork(Network):
    """Does to each write what is planned, and has it checked what workloads see after each."""

    def __init__(self, api: ApiServer, check: Callable[[], None]) -> None:
        self.api = api
        self.plan: list[Fault] = []
        self.late: Callable[[], object] | None = None
        self.crashed = False
        self._check = check

    def send(self, write: Callable[[], T]) -> T:
        """The answer, if there is one."""
        fault = self.plan.pop(0) if self.plan else Fault.NONE
        self.crashed = fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
        if fault in {Fault.CRASH_BEFORE, Fault.LATE}:
            self.late = write if fault is Fault.LATE else None
            raise Interrupted
        if fault is Fault.CONFLICT:
            self.api.touch()
        answer = write()
        self._check()
        if fault in {Fault.CRASH_AFTER, Fault.ANSWER_LOST}:
            self.late = None
            raise Interrupted
        return answer
