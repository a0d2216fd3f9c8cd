"""The limits that ship: positive, and such that no tenant has everything."""

import pytest
from msgspec.structs import asdict

from token_service.limits import LIMITS


@pytest.mark.parametrize("name", asdict(LIMITS))
def test_limits_are_positive(name: str) -> None:
    """A limit of 0 would switch off what it bounds, or everything."""
    assert asdict(LIMITS)[name] > 0


def test_limits_leave_others_their_part() -> None:
    """No client has a whole namespace's part, and no namespace has everything (threat model)."""
    assert LIMITS.max_valid_after_waiters_of_client < LIMITS.max_valid_after_waiters_of_namespace
    assert 4 * LIMITS.max_valid_after_waiters_of_namespace <= LIMITS.max_valid_after_waiters
    assert 4 * LIMITS.live_reads_of_namespace_burst <= LIMITS.live_reads_burst
    assert LIMITS.live_reads_of_client_burst < LIMITS.live_reads_of_namespace_burst
    assert 4 * LIMITS.max_guarded_clients_of_namespace <= LIMITS.max_guarded_clients
