"""Internal callers: the ServiceAccount of the management API alone; `cluster/test_propagation` has the rejected ones."""

import pytest

from agentidp.domain.identity.propagation import AUDIENCE
from agentidp.domain.tokens.client_assertions import Workload
from tests.support.assertions import claims_of, signed
from tests.support.token_services import ServedAlone

MANAGEMENT = ("agentidp-system", "agentidp-management-api")


def header(*account: str, audience: str = AUDIENCE) -> str:
    """An Authorization header with a token of this ServiceAccount."""
    return f"Bearer {signed(claims_of(*account, aud=[audience]))}"


async def test_internal_callers_take_the_management_api(served: ServedAlone) -> None:
    """By a token for this purpose."""
    assert await served.service.management.is_management_api(header(*MANAGEMENT))


@pytest.mark.parametrize("authorization", ["", "Basic a", header("talent", "screener"), header(*MANAGEMENT, audience="other")])
async def test_internal_callers_take_nobody_else(served: ServedAlone, authorization: str) -> None:
    """Whatever is in the header."""
    assert not await served.service.management.is_management_api(authorization)


async def test_internal_callers_take_no_earlier_service_account_of_the_name(served: ServedAlone) -> None:
    """Decision 33: not the name counts but the uid."""
    served.service_accounts[Workload(*MANAGEMENT)] = "another-uid"
    assert not await served.service.management.is_management_api(header(*MANAGEMENT))
