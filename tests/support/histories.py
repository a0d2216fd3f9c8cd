"""Everything that became of a tenant's credentials and Secrets: each version that the API server has stored, in order.

A poll sees what lasts; this sees also what lasted for a millisecond. Both kinds are in one etcd, so their resource versions
are in one order.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Self

import httpx

from agentidp.domain.secrets.client_secrets import hint_of
from tests.support.connection import connect
from tests.support.crd_schema import Manifest
from tests.support.objects import Change, path_of

KINDS = ("AgentCredential", "Secret")
WATCH_SECONDS = 2  # how long it may take to end
RETRY_SECONDS = 0.2


class Moment(NamedTuple):
    """A credential and its Secret of the same name after one write; `secret` is None while there is none."""

    credential: Manifest
    secret: Manifest | None

    def __repr__(self) -> str:
        """A failed test must not show the Secret."""
        return f"Moment({self.credential['metadata']['resourceVersion']}, hashes={len(self.hashes)})"

    @property
    def hashes(self) -> list[Manifest]:
        """What is published."""
        found: list[Manifest] = self.credential.get("status", {}).get("secretHashes", [])
        return found

    @property
    def value(self) -> bytes | None:
        """The client secret that is delivered."""
        return base64.b64decode(self.secret["data"]["client_secret"]) if self.secret else None

    @property
    def held(self) -> Manifest | None:
        """The published hash of the value that is delivered."""
        hint = hint_of(self.credential["metadata"]["uid"], self.value) if self.value else None
        return next((one for one in self.hashes if one.get("hint") == hint), None)


class History:
    """Watches while the block runs. What there was is read after its end."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._clients = {kind: connect(kubeconfig) for kind in KINDS}
        self._namespace = namespace
        self._changes: dict[str, list[Change]] = {kind: [] for kind in KINDS}
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._follow, args=(kind,)) for kind in KINDS]
        self._failures: list[Exception] = []

    def of(self, name: str) -> list[Moment]:
        """The credential of this name from its first version on, with the Secret of that name."""
        both = (change for kind in KINDS for change in self._changes[kind] if change.object["metadata"]["name"] == name)
        return list(_moments(sorted(both, key=version_of)))

    def next_change(self, wanted: Callable[[Manifest], bool], within: float) -> bool:
        """Wait for a change to such an object, but not for longer than so many seconds; whether there was one."""
        known = {kind: len(changes) for kind, changes in self._changes.items()}
        with self._changed:
            return self._changed.wait_for(
                lambda: any(wanted(one.object) for kind in KINDS for one in self._changes[kind][known[kind] :]), within
            )

    def _follow(self, kind: str) -> None:
        version = 0
        try:
            while not self._ended.is_set():
                version = self._watch(kind, version)
        except (httpx.HTTPError, AssertionError) as failure:
            self._failures.append(failure)

    def _watch(self, kind: str, version: int) -> int:
        """The version of the last change that was told."""
        params = {"watch": "true", "timeoutSeconds": str(WATCH_SECONDS)} | (
            {"resourceVersion": str(version)} if version else {}
        )
        with self._clients[kind].stream("GET", path_of(kind, self._namespace), params=params) as response:
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:  # this kind's cache is not filled yet
                self._ended.wait(RETRY_SECONDS)
                return version
            response.raise_for_status()
            for change in (Change(**json.loads(line)) for line in response.iter_lines()):
                assert change.type != "ERROR", change
                with self._changed:
                    self._changes[kind].append(change)
                    self._changed.notify_all()
                version = max(version, version_of(change))
        return version

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for client in self._clients.values():
            client.close()
        assert not self._failures, self._failures


def version_of(change: Change) -> int:
    """When it was written, in the order of all writes."""
    return int(change.object["metadata"]["resourceVersion"])


def values(moments: list[Moment]) -> list[bytes]:
    """The values that were delivered, one after the other."""
    delivered = [moment.value for moment in moments if moment.value]
    return [value for place, value in enumerate(delivered) if place == 0 or value != delivered[place - 1]]


def _moments(changes: list[Change]) -> Iterator[Moment]:
    credential: Manifest | None = None
    secret: Manifest | None = None
    for change in changes:
        current = None if change.type == "DELETED" else change.object
        if change.object["kind"] == "Secret":
            secret = current
        else:
            credential = current
        if credential:
            yield Moment(credential, secret)
