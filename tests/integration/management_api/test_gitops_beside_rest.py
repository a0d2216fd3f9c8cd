"""A credential in Git that is rotated and revoked over REST, while a GitOps controller applies it every second."""

from collections.abc import Callable
from http import HTTPStatus

from devcluster.cluster import ControlPlane
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.gitops import SERVER_SIDE, GitOps
from tests.support.histories import History, values
from tests.support.management import Api, access_token
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_refused, is_served

ROTATIONS = 3


def test_gitops_and_rest_keep_each_others_fields(
    cluster: ControlPlane, all_programs: Programs, objects: Objects, tell: Callable[[str], None]
) -> None:
    """One new secret for each rotation, delivered to the Secret; nothing else changes, and no apply ever fails."""
    tenant = Tenant.new(objects)
    api = Api(all_programs.url(MANAGEMENT_API.name), access_token(tenant))
    with (
        History(cluster.kubeconfig, tenant.namespace) as history,
        GitOps(cluster.access.kubectl, tenant.namespace, SERVER_SIDE) as git,
    ):
        git.commit(a_resource("Agent", {}, NAME), a_resource("AgentCredential", {}, NAME))
        seen = tenant.until("AgentCredential", "Issued")
        agent_id, credential_id = seen["status"]["clientId"], seen["metadata"]["uid"]
        old = tenant.pair()
        for _ in range(ROTATIONS):
            old = rotated(api, tenant, agent_id, credential_id, old)
            git.goes_on()
        assert api.revoke(agent_id, credential_id).status_code == HTTPStatus.NO_CONTENT
        assert is_refused(old)
        eventually("the Secret is gone", lambda: tenant.find("Secret") is None)
        at_rest = tenant.version("AgentCredential")
        git.goes_on()
        assert tenant.version("AgentCredential") == at_rest
    assert [one.stderr for one in git.done if one.returncode] == []
    delivered = values(history.of(NAME))
    tell(
        f"{len(git.done)} times applied beside {ROTATIONS} rotations and a revocation: {len(delivered)} secrets were delivered"
    )
    assert len(delivered) == 1 + ROTATIONS


def rotated(api: Api, tenant: Tenant, agent_id: str, credential_id: str, old: Pair) -> Pair:
    """The pair after a rotation, which is told to be in the Secret by the time of the answer."""
    answer = api.rotate(agent_id, credential_id)
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.json()["secretRef"] == {"namespace": tenant.namespace, "name": NAME}
    assert "clientSecret" not in answer.json()
    new = tenant.pair()
    assert new.client_secret != old.client_secret
    assert is_served(new)
    assert is_refused(old)
    return new
