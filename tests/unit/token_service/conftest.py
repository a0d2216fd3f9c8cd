"""The token service alone, with one agent and its credential declared."""

from collections.abc import AsyncIterator

import pytest

from tests.support.clocks import ManualClock
from tests.support.token_services import ServedAlone, signing_keys, the_credential
from tests.support.worlds import a_registered_agent
from token_service.limits import LIMITS, Limits


@pytest.fixture
def limits() -> Limits:
    """The limits that ship; a test has others by `with_limits`."""
    return LIMITS


@pytest.fixture
def clock() -> ManualClock | None:
    """The clock of the service: the right one, unless a module of tests has another."""
    return None


@pytest.fixture
async def empty(limits: Limits, clock: ManualClock | None) -> AsyncIterator[ServedAlone]:
    """A service that has signing keys, and knows nobody."""
    served = ServedAlone(limits=limits, clock=clock)
    served.keys.put(signing_keys())
    yield served
    await served.close()


@pytest.fixture
def served(empty: ServedAlone) -> ServedAlone:
    """A service that knows one agent, which may read and write, and its credential."""
    empty.declare(a_registered_agent(scopes=("resume:read", "resume:write")), the_credential())
    return empty
