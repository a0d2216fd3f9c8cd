"""Pods of a Deployment that die without notice, again and again, while a test goes on."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.releases import Release

LONGEST_PAUSE_SECONDS = 8.0


@dataclass
class Killed:
    """The names of those that were killed so far, in order."""

    pods: list[str] = field(default_factory=list)
    leaders: list[str] = field(default_factory=list)
    """Of these, who held the Deployment's Lease at that moment."""

    def __str__(self) -> str:
        return f"{len(self.pods)} pods killed, {len(self.leaders)} of them the leader"


@contextmanager
def killed_at_random(release: Release, deployment: str, longest_pause: float = LONGEST_PAUSE_SECONDS) -> Iterator[Killed]:
    """One of its pods is killed after each pause of a random length, while the block runs."""
    killed, over = Killed(), threading.Event()

    def kill_on() -> None:
        while not over.wait(random.uniform(0, longest_pause)):  # noqa: S311 no secret is made of it
            _kill_one(release, deployment, killed)

    thread = threading.Thread(target=kill_on)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def _kill_one(release: Release, deployment: str, killed: Killed) -> None:
    names = [pod["metadata"]["name"] for pod in release.pods(deployment)]
    if not names:
        return
    name, leader = random.choice(names), leader_of(release, deployment)  # noqa: S311 as above
    release.kubectl("delete", "pod", name, "--grace-period=0", "--force", "--ignore-not-found")
    killed.pods.append(name)
    if name == leader:
        killed.leaders.append(name)


def leader_of(release: Release, lease: str) -> str:
    """The pod that holds the Lease, or that held it last; "" where nobody does. Holders are named for their pods."""
    told = release.kubectl("get", "lease", lease, "--ignore-not-found", "--output=json")
    holder = json.loads(told)["spec"].get("holderIdentity") or "" if told else ""
    return holder.split("_")[0]
