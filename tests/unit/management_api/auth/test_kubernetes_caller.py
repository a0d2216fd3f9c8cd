"""A user or ServiceAccount of the cluster as the caller: what RBAC lets them do there, they may do here."""

from http import HTTPStatus

import pytest

from management_api.auth.authorization import Action, ResourceRight
from management_api.auth.kubernetes_caller import KubernetesCaller, User
from management_api.errors import ApiFailure
from tests.support.management_parts import a_cached_agent
from tests.support.worlds import NAMESPACE

AGENT = a_cached_agent()
HOME = User(username=f"system:serviceaccount:{NAMESPACE}:pipeline")
ALICE = User(username="alice")


class Rights:
    """The access reviews of a cluster in which everybody has these rights, by namespace ("" is all of them)."""

    def __init__(self, *rights: tuple[Action, str]) -> None:
        self._rights = {(action.value, namespace) for action, namespace in rights}

    async def allows(self, _: User, right: ResourceRight, namespace: str) -> bool:
        """As the API server answers a SubjectAccessReview."""
        return (right, namespace) in self._rights or (right, "") in self._rights


def a_caller(user: User, *rights: tuple[Action, str]) -> KubernetesCaller:
    """The user with these rights."""
    return KubernetesCaller(user, Rights(*rights))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([(Action.CHANGE_AGENT, NAMESPACE)], None),
        ([(Action.READ_AGENT, NAMESPACE)], HTTPStatus.FORBIDDEN),
        ([(Action.CHANGE_AGENT, "others"), (Action.READ_AGENT, "others")], HTTPStatus.NOT_FOUND),
        ([], HTTPStatus.NOT_FOUND),
    ],
    ids=["may change", "may only read", "elsewhere", "nothing"],
)
async def test_kubernetes_caller_learns_of_agents_that_it_may_read(
    rights: list[tuple[Action, str]], status: HTTPStatus | None
) -> None:
    """403 for an agent that the caller may read, 404 for any other."""
    caller = a_caller(ALICE, *rights)
    if status is None:
        assert await caller.authorize(Action.CHANGE_AGENT, AGENT, AGENT.agent_id) == AGENT
    else:
        with pytest.raises(ApiFailure) as raised:
            await caller.authorize(Action.CHANGE_AGENT, AGENT, AGENT.agent_id)
        assert raised.value.status == status


async def test_kubernetes_caller_lists_all_namespaces_or_one() -> None:
    """All with the right everywhere; else the namespace named, or a ServiceAccount's own."""
    assert (await a_caller(ALICE, (Action.LIST_AGENTS, "")).visible_agents(None)).namespaces is None
    right = (Action.LIST_AGENTS, NAMESPACE)
    assert (await a_caller(HOME, right).visible_agents(None)).namespaces == frozenset({NAMESPACE})
    assert (await a_caller(ALICE, right).visible_agents(NAMESPACE)).namespaces == frozenset({NAMESPACE})
    for caller, namespace in ((a_caller(ALICE, right), None), (a_caller(ALICE, right), "others"), (a_caller(HOME), None)):
        with pytest.raises(ApiFailure) as raised:
            await caller.visible_agents(namespace)
        assert raised.value.status == HTTPStatus.FORBIDDEN


async def test_kubernetes_caller_registers_where_it_may_create_agents() -> None:
    """A user has no namespace, and has to name one: 400."""
    right = (Action.REGISTER, NAMESPACE)
    assert (await a_caller(HOME, right).placement(None, "acme")) == (NAMESPACE, "acme")
    statuses = list[HTTPStatus]()
    for caller in (a_caller(ALICE, right), a_caller(HOME)):
        with pytest.raises(ApiFailure) as raised:
            await caller.placement(None, None)
        statuses.append(raised.value.status)
    assert statuses == [HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN]


def test_kubernetes_caller_of_a_service_account_has_the_tenant_of_its_namespace() -> None:
    """With the agents there; a user has a budget of their own."""
    assert a_caller(HOME).tenant == f"namespace:{NAMESPACE}"
    assert a_caller(ALICE).tenant == "user:alice"
