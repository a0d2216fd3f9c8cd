"""The token service alone, with one agent and its credential declared."""

from collections.abc import AsyncIterator

import pytest

from tests.support.token_services import ServedAlone, signing_keys, the_credential
from tests.support.worlds import a_registered_agent


@pytest.fixture
async def empty() -> AsyncIterator[ServedAlone]:
    """A service that has signing keys, and knows nobody."""
    served = ServedAlone()
    served.keys.put(signing_keys())
    yield served
    await served.close()


@pytest.fixture
def served(empty: ServedAlone) -> ServedAlone:
    """A service that knows one agent, which may read and write, and its credential."""
    empty.declare(a_registered_agent(scopes=("resume:read", "resume:write")), the_credential())
    return empty
