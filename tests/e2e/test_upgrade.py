"""From an earlier version of everything to this one, under load: the chart, the kinds and the image."""

from collections.abc import Callable

import pytest

from devcluster.chart import RELEASE
from tests.e2e.conftest import Cluster
from tests.support.asking import Asking
from tests.support.chart import fields_of_agents
from tests.support.cluster_state import State
from tests.support.earlier import COMMIT, is_known, write_earlier
from tests.support.pods import Pods
from tests.support.releases import EARLIER_IMAGE, IMAGE, Release
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

CREDENTIALS = [f"credential-{number}" for number in range(4)]
PER_SECOND = 50
# Pods that are told to stop go on answering for some seconds; what is asked then counts, too.
AFTERWARDS_SECONDS = 30.0

pytestmark = pytest.mark.skipif(not is_known(), reason=f"notice: this clone is shallow and lacks the earlier version, {COMMIT}")


@pytest.fixture(scope="module")
def release(cluster: Cluster, before: State, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The earlier version, with its own image, where nothing was installed."""
    sources = write_earlier(tmp_path_factory.mktemp("earlier"))
    cluster.provide(EARLIER_IMAGE, sources, {})
    release = Release(cluster.access)
    release.remove()
    release.install(chart=sources / "charts" / RELEASE, image=EARLIER_IMAGE)
    return release


def test_an_upgrade_from_an_earlier_version_fails_no_request(
    tenant: Tenant, pods: Pods, release: Release, tell: Callable[[str], None]
) -> None:
    """Secrets of then go on working while every pod is replaced, and are rotated by the programs of now."""
    pairs = [tenant.issue(name, rotation={"overlap": "60s"}) for name in CREDENTIALS]
    known = fields_of_agents(pods.kubectl)
    asking = Asking.begin(pods, PER_SECOND, *CREDENTIALS)
    release.install()
    eventually("only pods of this version are left", release.images, lambda images: images == {IMAGE}, AFTERWARDS_SECONDS)
    assert [tenant.pair(name) for name in CREDENTIALS] == pairs
    assert fields_of_agents(pods.kubectl) >= known

    request_rotations(tenant, *CREDENTIALS)
    until_rotated(tenant, *CREDENTIALS)
    asking.until_it_has_seen(2)
    told = asking.told()
    tell(f"upgrade from {COMMIT}: {told.asked} requests, failed: {told.failed or 'none'}")
    assert told.failed == {}, asking.pod.logs()
