"""Authorization: the right that each call takes."""

import pytest

from agentidp.domain.identity.administration import READ, WRITE
from management_api.auth.authorization import Action, tenant_of


@pytest.mark.parametrize("action", Action)
def test_action_takes_the_scope_and_the_verb_of_one_kind(action: Action) -> None:
    """A call that reads takes `agents:read` or get and list; one that writes takes `agents:write` or create and patch."""
    right = action.value
    assert right.scope == (READ if right.verb in {"get", "list"} else WRITE)
    assert right.verb in {"get", "list", "create", "patch"}


def test_tenant_of_a_namespace_is_no_user() -> None:
    """A user of the cluster who is called like a namespace has a budget of their own."""
    assert tenant_of("talent") != "user:talent"
