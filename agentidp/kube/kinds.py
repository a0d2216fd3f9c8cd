"""The kinds that the programs read and write: the API path of each, and the Struct that decodes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from agentidp.domain.resources import (
    GROUP,
    VERSION,
    Agent,
    AgentCredential,
    Organization,
    PendingChange,
    Secret,
    TokenRevocation,
)
from agentidp.domain.resources.meta import Object

ObjectT = TypeVar("ObjectT", bound=Object)
KeptT = TypeVar("KeptT")


@dataclass(frozen=True)
class Kind(Generic[ObjectT]):
    """One kind of object: its group and version ("" is the core group), its plural, and its type here."""

    group: str
    version: str
    plural: str
    name: str
    type: type[ObjectT]

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its manifests."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of one object, or of the collection when `name` is empty."""
        base = f"/apis/{self.group}" if self.group else "/api"
        parts = [f"{base}/{self.version}", f"namespaces/{namespace}" if namespace else "", self.plural, name, subresource]
        return "/".join(part for part in parts if part)

    @cached_property
    def decoder(self) -> "msgspec.json.Decoder[ObjectT]":
        """The decoder of one object."""
        return msgspec.json.Decoder(self.type)

    def decode(self, body: bytes | msgspec.Raw) -> ObjectT:
        """One object from its JSON. Raises msgspec.DecodeError, and RecursionError (see `deep_json`)."""
        return self.decoder.decode(body)

    def encode(self, value: ObjectT) -> dict[str, Any]:
        """The manifest of an object."""
        return {"apiVersion": self.api_version, "kind": self.name, **msgspec.to_builtins(value)}


@dataclass(frozen=True)
class Projection(Generic[ObjectT, KeptT]):
    """A kind of whose objects only a part is kept, because a cache has very many of them."""

    kind: Kind[ObjectT]
    keep: Callable[[ObjectT], KeptT]

    @property
    def plural(self) -> str:
        """The plural, as in paths and logs."""
        return self.kind.plural

    def path(self, namespace: str = "") -> str:
        """The path of the collection."""
        return self.kind.path(namespace)

    def decode(self, body: bytes | msgspec.Raw) -> KeptT:
        """The kept part of one object, from its JSON."""
        return self.keep(self.kind.decode(body))


AGENTS = Kind(GROUP, VERSION, "agents", "Agent", Agent)
CREDENTIALS = Kind(GROUP, VERSION, "agentcredentials", "AgentCredential", AgentCredential)
ORGANIZATIONS = Kind(GROUP, VERSION, "organizations", "Organization", Organization)
TOKEN_REVOCATIONS = Kind(GROUP, VERSION, "tokenrevocations", "TokenRevocation", TokenRevocation)
PENDING_CHANGES = Kind(GROUP, VERSION, "pendingchanges", "PendingChange", PendingChange)
SECRETS = Kind("", "v1", "secrets", "Secret", Secret)
SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts", "ServiceAccount", Object)
"""Only the metadata of ServiceAccounts is read."""
