"""Input of a decision: what it derives from credential, agent and Secret."""

from msgspec.structs import replace

from agentidp.domain.lifecycle.input import Input
from agentidp.domain.secrets.secret_delivery import inspect
from tests.support.worlds import (
    AGENT_ID,
    ENDPOINTS,
    HOUR,
    NOW,
    a_hash,
    a_registered_agent,
    a_secret,
    a_value,
    an_agent,
    an_issued_credential,
    respecified,
)

CREDENTIAL = an_issued_credential()
DELIVERY = inspect(CREDENTIAL, CREDENTIAL.secret_name, a_secret(CREDENTIAL), ENDPOINTS)


def gathered(**fields: object) -> Input:
    """An issued credential with its Secret and a registered agent."""
    return replace(Input(CREDENTIAL, a_registered_agent(), DELIVERY), **fields)


def test_input_finds_the_hash_of_the_value_in_the_secret() -> None:
    """A Secret with another value is accepted by no hash."""
    assert gathered().held == a_hash(1)
    edited = inspect(CREDENTIAL, CREDENTIAL.secret_name, a_secret(CREDENTIAL, a_value(2)), ENDPOINTS)
    assert gathered(delivery=edited).held is None


def test_input_has_the_id_of_a_registered_agent_only() -> None:
    """An agent without an id, and a missing agent, have none."""
    assert gathered().agent_id == AGENT_ID
    assert gathered(agent=an_agent()).agent_id is None
    assert gathered(agent=None).agent_id is None


def test_input_tells_a_new_spec() -> None:
    """`observedGeneration` is of an earlier spec."""
    assert not gathered().spec_is_new
    assert gathered(credential=respecified(CREDENTIAL)).spec_is_new


def test_input_names_the_secret_to_remove() -> None:
    """A Secret that is being deleted is ours, but not removed again."""
    assert gathered().removable == CREDENTIAL.secret_name
    terminating = gathered(delivery=replace(DELIVERY, terminating=True))
    assert (terminating.ours, terminating.removable) == (CREDENTIAL.secret_name, None)


def test_input_knows_when_the_secret_in_use_was_made() -> None:
    """Also before the status records it."""
    assert gathered().issued_at == NOW - HOUR
