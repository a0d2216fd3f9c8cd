"""The workload `asking.py` in a pod, and what it tells about its requests."""

import json
from dataclasses import dataclass

from msgspec import Struct, convert

from tests.support.pods import Pod, Pods, mounted_at
from tests.support.waiting import eventually


class Told(Struct, frozen=True):
    """The state of things at one moment, since it began."""

    asked: int
    served: int
    failed: dict[str, int]
    secrets: dict[str, int]
    """For each folder, how many values of the secret it has seen there."""

    def has_seen(self, values: int) -> bool:
        """Whether it has seen so many values of each secret."""
        return bool(self.secrets) and min(self.secrets.values()) >= values


@dataclass(frozen=True)
class Asking:
    """One that runs."""

    pod: Pod

    @classmethod
    def begin(cls, pods: Pods, per_second: int, *secrets: str) -> "Asking":
        """So many requests a second, with the credentials of these Secrets in turn; it has been served."""
        command = ("/workloads/asking.py", str(per_second), *map(mounted_at, secrets))
        asking = cls(pods.start("asking", *command, secrets=secrets))
        asking.pod.until_it_runs()
        eventually("the workload is served", asking.told, lambda told: told.served > 0)
        return asking

    def told(self) -> Told:
        """What it told last."""
        lines = [line for line in self.pod.logs("--tail=20").splitlines() if line.startswith("{")]
        return convert(json.loads(lines[-1]), Told) if lines else Told(0, 0, {}, {})

    def until_it_has_seen(self, values: int) -> None:
        """So many values of each secret, or more."""
        eventually(f"the workload has seen {values} values of each secret", self.told, lambda told: told.has_seen(values))
