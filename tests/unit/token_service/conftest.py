"""The token service alone, with one agent and its credential declared."""

from collections.abc import AsyncIterator, Iterator
from functools import cache

import pytest

from agentidp.domain.secrets import secret_matches
from tests.support.token_services import ServedAlone, signing_keys, the_credential
from tests.support.worlds import a_registered_agent
from token_service import hashing


@pytest.fixture(autouse=True, scope="session")
def bcrypt_once() -> Iterator[None]:
    """Bcrypt is real, and takes its time once for each secret and hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "secret_matches", cache(secret_matches))
        yield


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
