"""How Kopf is set up."""

from itertools import islice

import kopf

from agent_operator.events import _configure


async def test_kopf_never_runs_out_of_tries() -> None:
    """An outage of any length is waited out, each request from the shortest pause on."""
    settings = kopf.OperatorSettings()
    await _configure(settings)
    backoffs = settings.networking.error_backoffs
    first, second = (list(islice(backoffs, 1000)) for _ in range(2))
    assert len(first) == 1000
    assert max(first) <= 5
    assert first == second
