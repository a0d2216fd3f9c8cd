"""Signing keys change while tokens are issued and checked: whoever keeps the key set as long as he may rejects none."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import Programs
from tests.support.tenants import Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served, token

MAX_AGE_SECONDS = 3
SETTINGS = {
    "AGENTIDP_SIGNING_KEY_LIFETIME": "12s",
    "AGENTIDP_SIGNING_KEY_PUBLISHED_AHEAD": "9s",
    "AGENTIDP_JWKS_MAX_AGE_SECONDS": str(MAX_AGE_SECONDS),
    "AGENTIDP_CLIENT_REQUESTS_PER_SECOND": "0",
}
CLIENTS = 4
ROTATIONS = 3


@pytest.fixture(scope="module")
def programs(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """With keys that live for seconds."""
    with Programs.launch(cluster.access, tmp_path_factory.mktemp("programs"), SETTINGS) as programs:
        yield programs


class Keys:
    """The key set as a resource server keeps it: for as long as Cache-Control says, and not asked for in between."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._kept: list[jwt.PyJWK] = []
        self._until = 0.0
        self._lock = threading.Lock()
        self.fetched = 0

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key, if what was kept has it."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._fetch()
            return next((key for key in self._kept if key.key_id == kid), None)

    def _fetch(self) -> None:
        """Its time counts from the answer."""
        answer = httpx.get(self._url).raise_for_status()
        (max_age,) = re.findall(r"max-age=(\d+)", answer.headers["cache-control"])
        self._kept, self._until = jwt.PyJWKSet.from_dict(answer.json()).keys, time.monotonic() + int(max_age)
        self.fetched += 1


def test_no_token_is_rejected_while_keys_are_rotated(programs: Programs, tenant: Tenant, tell: Callable[[str], None]) -> None:
    """Though the key set is asked for no more often than it must be."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    keys, ended, began = Keys(f"{programs.token_url}/.well-known/jwks.json"), threading.Event(), time.monotonic()
    taken: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(use_tokens, pair, keys, taken, rejected, ended) for _ in range(CLIENTS)]
        try:
            eventually("keys are rotated", lambda: set(taken), lambda seen: len(seen) > ROTATIONS, within=300)
        finally:
            ended.set()
    for one in running:
        one.result()
    seconds = time.monotonic() - began
    tell(f"{taken.total()} tokens by {len(taken)} keys in {seconds:.0f} s, key set fetched {keys.fetched} times: {rejected}")
    assert not rejected
    assert keys.fetched <= 1 + seconds / MAX_AGE_SECONDS


def use_tokens(pair: Pair, keys: Keys, taken: Counter[str], rejected: Counter[str], ended: threading.Event) -> None:
    """Get one and have it checked, again and again; counted by the key that signed it."""
    while not ended.is_set():
        fresh = token(pair)
        kid = jwt.get_unverified_header(fresh)["kid"]
        key = keys.find(kid)
        if key is None:
            rejected[kid] += 1
        else:
            jwt.decode(fresh, key, algorithms=["ES256"], options={"verify_aud": False})
            taken[kid] += 1
