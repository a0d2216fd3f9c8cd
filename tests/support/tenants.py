"""A tenant: one namespace of the cluster, and what its owner does there."""

import secrets
from dataclasses import dataclass
from typing import Any, Self

from tests.support.crd_schema import Manifest
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.waiting import eventually
from tests.support.workload import Pair, pair_in

NAME = "screener"


@dataclass(frozen=True)
class Tenant:
    """Everything is called "screener" unless a test says otherwise."""

    objects: Objects
    namespace: str

    @classmethod
    def new(cls, objects: Objects) -> Self:
        """With a namespace of its own."""
        namespace = f"tenant-{secrets.token_hex(4)}"
        objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        return cls(objects, namespace)

    def create(self, kind: str, name: str = NAME, **spec: Any) -> Manifest:
        """Create an Agent or AgentCredential: the smallest valid one, with these fields."""
        return self.objects.create(a_resource(kind, spec, name), self.namespace)

    def change(self, kind: str, name: str = NAME, **spec: Any) -> Manifest:
        """Change these fields of its spec."""
        return self.objects.change(kind, name, {"spec": spec}, self.namespace)

    def remove(self, kind: str, name: str = NAME) -> None:
        """Delete it, and do not wait."""
        self.objects.remove(kind, name, self.namespace)

    def find(self, kind: str, name: str = NAME) -> Manifest | None:
        """It, if it is there."""
        return self.objects.find(kind, name, self.namespace)

    def get(self, kind: str, name: str = NAME) -> Manifest:
        """It, as it is now."""
        return self.objects.get(kind, name, self.namespace)

    def version(self, kind: str, name: str = NAME) -> str:
        """Its resource version: the same as long as nobody writes it."""
        return str(self.get(kind, name)["metadata"]["resourceVersion"])

    def until(self, kind: str, reason: str, name: str = NAME) -> Manifest:
        """It, as soon as its Ready condition has this reason for the spec as it is now."""
        return eventually(f"{kind} {name} says {reason}", lambda: self.get(kind, name), lambda seen: told(seen) == reason)

    def issue(self, name: str = NAME, **spec: Any) -> Pair:
        """The pair of a new credential of the agent, which is made where there is none yet."""
        if not self.find("Agent"):
            self.create("Agent")
        self.create("AgentCredential", name, **spec)
        self.until("AgentCredential", "Issued", name)
        return self.pair(spec.get("secret", {}).get("name", name))

    def pair(self, secret: str = NAME) -> Pair:
        """The pair that a Secret holds."""
        return pair_in(self.get("Secret", secret))

    def another_pair(self, before: Pair, secret: str = NAME) -> Pair:
        """The pair as soon as its Secret is there and holds another value than before."""
        eventually(
            "the Secret holds another value",
            lambda: self.find("Secret", secret),
            lambda found: found and pair_in(found).client_secret != before.client_secret,
        )
        return self.pair(secret)

    def story(self, name: str = NAME) -> set[tuple[str, str]]:
        """The events about the objects of this name: kind and reason of each."""
        events = self.objects.list("Event", self.namespace)
        about = ((event["regarding"]["kind"], event["reason"]) for event in events if event["regarding"]["name"] == name)
        return set(about)


def told(seen: Manifest, condition: str = "Ready") -> str | None:
    """The reason of a condition, if it is about the spec as it is now."""
    found = condition_of(seen, condition)
    up_to_date = seen.get("status", {}).get("observedGeneration") == seen["metadata"]["generation"]
    return found["reason"] if found and up_to_date else None


def condition_of(seen: Manifest, kind: str = "Ready") -> Manifest | None:
    """A condition of an object."""
    conditions = seen.get("status", {}).get("conditions", ())
    return next((one for one in conditions if one["type"] == kind), None)
