"""What may be a client's id."""

import pytest

from agentidp.domain.identity.clients import is_client_id
from tests.support.worlds import AGENT_ID


@pytest.mark.parametrize("text", ["", "root", AGENT_ID.upper(), AGENT_ID + "\n", f" {AGENT_ID}", AGENT_ID.replace("-", "")])
def test_client_id_is_a_uuid_in_lower_case(text: str) -> None:
    """The API server would be asked for anything else in vain."""
    assert is_client_id(AGENT_ID)
    assert not is_client_id(text)
