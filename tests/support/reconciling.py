"""A model of the API server and of the operator around `decide`: what the tests of a credential's life run on.

The operator writes in the order of the real one, from memory that may be old, through a network that may fail. Hashes are
fake, so that thousands of lives fit into a second.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from agentidp.domain.lifecycle import (
    Input,
    IssueSecret,
    RemoveSecret,
    RepairSecret,
    Step,
    Wait,
    WriteStatus,
    decide,
    with_fresh_hash,
)
from agentidp.domain.resources import Agent, AgentCredential, CredentialStatus, Secret
from agentidp.domain.secrets.client_secrets import generate_secret, hint_of
from agentidp.domain.secrets.last_used import Uses
from agentidp.domain.secrets.secret_delivery import (
    SECRET_TYPE,
    SecretOwnership,
    changes,
    client_secret_in,
    inspect,
    secret_for,
)
from agentidp.kube.client import STRATEGIC_MERGE_PATCH
from agentidp.kube.kinds import SECRETS
from tests.support.model_cluster import merged
from tests.support.worlds import ENDPOINTS, a_fake_hash, a_uid

T = TypeVar("T")
Kept = TypeVar("Kept", AgentCredential, Secret)

MAX_STEPS = 20
"""Where the real operator gives up for now."""


class Stale(Exception):
    """The write was decided from a version that is not the present one (409, 404)."""


class ApiServer:
    """Keeps one credential, its agent and the Secrets of its namespace; the operator's writes name the version they are for."""

    def __init__(self, credential: AgentCredential, agent: Agent | None, secrets: Iterable[Secret] = ()) -> None:
        self.credential = credential
        self.agent = agent
        self.secrets = {secret.metadata.name: secret for secret in secrets}
        self._versions = count(1000)

    def put_credential(self, credential: AgentCredential) -> AgentCredential:
        """Somebody changes the credential, whatever its version."""
        self.credential = self._stored(credential, self.credential)
        return self.credential

    def replace_status(self, credential: AgentCredential, status: CredentialStatus) -> AgentCredential:
        """The operator records a status."""
        if credential.metadata.resource_version != self.credential.metadata.resource_version:
            raise Stale
        return self.put_credential(replace(self.credential, status=status))

    def put_secret(self, secret: Secret) -> Secret:
        """Somebody writes a Secret, whatever its version."""
        stored = self._stored(secret, self.secrets.get(secret.metadata.name))
        self.secrets[secret.metadata.name] = stored
        return stored

    def create_secret(self, secret: Secret) -> Secret:
        """The operator creates a Secret."""
        self._expect(secret)
        return self.put_secret(secret)

    def patch_secret(self, current: Secret, change: Mapping[str, Any]) -> Secret:
        """The operator changes the version that it saw."""
        self._expect(current)
        return self.put_secret(merged(SECRETS, current, change, STRATEGIC_MERGE_PATCH))

    def remove_secret(self, secret: Secret) -> None:
        """The operator removes the version that it saw."""
        self._expect(secret)
        del self.secrets[secret.metadata.name]

    def touch(self) -> None:
        """Everything gets a new version; nothing that counts changes."""
        bumped = (replace(one, metadata=replace(one.metadata, resource_version="touched")) for one in self.secrets.values())
        for secret in list(bumped):
            self.put_secret(secret)
        meta = replace(self.credential.metadata, resource_version="touched")
        self.put_credential(replace(self.credential, metadata=meta))

    def _expect(self, secret: Secret) -> None:
        known = self.secrets.get(secret.metadata.name)
        if secret.metadata.resource_version != (known.metadata.resource_version if known else ""):
            raise Stale

    def _stored(self, wanted: Kept, known: Kept | None) -> Kept:
        """As it is read back; writing what is there already is no change."""
        if wanted == known:
            return wanted
        version = next(self._versions)
        uid = wanted.metadata.uid or a_uid(version)
        meta = replace(wanted.metadata, uid=uid, resource_version=str(version))
        return msgspec.json.decode(msgspec.json.encode(replace(wanted, metadata=meta)), type=type(wanted))


class Network:
    """Between the operator and the API server: here every write arrives, and its answer too."""

    def send(self, write: Callable[[], T]) -> T:
        """The answer."""
        return write()


class Operator:
    """Observes, decides, does, and observes again, until there is nothing to do."""

    def __init__(self, api: ApiServer, network: Network | None = None) -> None:
        self.api = api
        self._network = network or Network()
        self.uses: Uses | None = None
        self.catch_up()

    def catch_up(self) -> None:
        """The watch has told everything that happened."""
        self.credential, self.agent = self.api.credential, self.api.agent
        self.secrets = {name: secret for name, secret in self.api.secrets.items() if secret.type == SECRET_TYPE}

    def bring_to_rest(self, now: datetime) -> list[Step]:
        """All steps up to the first Wait. Raises what the disturbance raises."""
        steps: list[Step] = []
        while len(steps) < MAX_STEPS:
            secrets, step = self._decide(now)
            steps.append(step)
            if isinstance(step, Wait):
                return steps
            try:
                self._execute(step, secrets, now)
            except Stale:
                self.credential = self.api.credential
        raise AssertionError(f"no rest after {[type(step).__name__ for step in steps]}")

    def observe(self, secrets: dict[str, Secret]) -> Input:
        """What `decide` sees when these are the Secrets."""
        credential = self.credential
        earlier = self._earlier_name()
        return Input(
            credential=credential,
            agent=self.agent,
            delivery=inspect(credential, credential.secret_name, secrets.get(credential.secret_name), ENDPOINTS),
            earlier=inspect(credential, earlier, secrets.get(earlier), ENDPOINTS) if earlier else None,
            uses=self.uses,
        )

    def _earlier_name(self) -> str | None:
        """A Secret of ours that has another name than it should: the one that is bound, or any that was left behind."""
        credential, binding = self.credential, self.credential.status.binding
        ours = (
            name
            for name, one in self.secrets.items()
            if inspect(credential, name, one, ENDPOINTS).holding is SecretOwnership.OURS
        )
        names = (*([binding.name] if binding else []), *ours)
        return next((name for name in names if name != credential.secret_name and name in self.secrets), None)

    def _decide(self, now: datetime) -> tuple[dict[str, Secret], Step]:
        """From memory, if that says that no Secret is to be written; else from the Secrets as they are."""
        step = decide(self.observe(self.secrets), now)
        if isinstance(step, Wait | WriteStatus):
            return self.secrets, step
        looked = dict(self.api.secrets)
        self.secrets = {name: secret for name, secret in looked.items() if secret.type == SECRET_TYPE}
        return looked, decide(self.observe(looked), now)

    def _execute(self, step: Step, secrets: dict[str, Secret], now: datetime) -> None:
        match step:
            case WriteStatus(status=status):
                self._record(status)
            case IssueSecret(status=status):
                value = generate_secret().encode()
                hint = hint_of(self.credential.metadata.uid, value)
                self._record(with_fresh_hash(status, a_fake_hash(value), hint, now))
                self._deliver(secrets, value)
            case RepairSecret(source=source, status=status):
                value = client_secret_in(secrets[source], self.credential) or b""
                self._record(status)
                self._deliver(secrets, value)
            case RemoveSecret(name=name):
                self._network.send(lambda: self.api.remove_secret(secrets[name]))
                self.secrets.pop(name, None)

    def _record(self, status: CredentialStatus) -> None:
        credential = self.credential
        if status != credential.status:
            self.credential = self._network.send(lambda: self.api.replace_status(credential, status))

    def _deliver(self, secrets: dict[str, Secret], value: bytes) -> None:
        wanted, current = secret_for(self.credential, value, ENDPOINTS), secrets.get(self.credential.secret_name)
        if current is None:
            written = self._network.send(lambda: self.api.create_secret(wanted))
        else:
            written = self._network.send(lambda: self.api.patch_secret(current, changes(current, wanted)))
        self.secrets[written.metadata.name] = written
