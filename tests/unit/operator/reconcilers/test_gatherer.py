"""Memory of Secrets, beside the Secrets as they are."""

from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import LastUsedRecord
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import WorkQueue
from agentidp.domain.resources import NamespacedName, Secret
from tests.support.stories import a_foreign_secret
from tests.support.worlds import ENDPOINTS, a_secret, an_issued_credential, with_metadata

CREDENTIAL = an_issued_credential()
OURS = a_secret(CREDENTIAL)
NEWER = replace(with_metadata(OURS, resource_version="2"), data={})


class Cluster:
    """Has one Secret, or none."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret

    async def find(self, _kind: Any, *name: str) -> Secret | None:
        """As the real one."""
        return self._secret if self._secret and self._secret.key == NamespacedName(*name) else None


SEEN: dict[str, tuple[Secret | None, Secret | None]] = {
    "a Secret that was changed": (NEWER, NEWER),
    "one that is as it was": (OURS, OURS),
    "none any more": (None, None),
    "somebody else's in its place": (a_foreign_secret(), None),
}


@pytest.mark.parametrize(("there", "remembered"), SEEN.values(), ids=SEEN)
async def test_what_a_look_has_seen_is_remembered(there: Secret | None, remembered: Secret | None) -> None:
    """Else memory and looks would contradict each other in turn, in writes of the status, until the watch has told."""
    cache = ClusterCache(WorkQueue())
    cache.credentials.put(CREDENTIAL)
    cache.secrets.put(OURS)
    cluster: Any = Cluster(there)
    gatherer = Gatherer(cluster, cache, ENDPOINTS, LastUsedRecord(), 100)
    assert (await gatherer.gather_live(CREDENTIAL)).secret == there
    assert gatherer.gather_from_cache(CREDENTIAL).secret == remembered
