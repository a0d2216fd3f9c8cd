"""How Kopf is set up."""

import getpass
from itertools import islice
from typing import Any
from unittest.mock import Mock

import kopf
import pytest

from agent_operator.watch.handlers import configure, run_kopf


async def test_kopf_never_runs_out_of_tries() -> None:
    """An outage of any length is waited out, each request from the shortest pause on."""
    settings = kopf.OperatorSettings()
    await configure(settings)
    backoffs = settings.networking.error_backoffs
    first, second = (list(islice(backoffs, 1000)) for _ in range(2))
    assert len(first) == 1000
    assert max(first) <= 5
    assert first == second


@pytest.mark.filterwarnings("ignore:coroutine 'authenticator'")  # Kopf has made it, and ends before it runs
async def test_a_user_without_a_name_may_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pod it is a number that the image knows nothing of; Kopf would look for its name before anything else."""
    monkeypatch.setattr(getpass, "getuser", Mock(side_effect=KeyError("uid not found")))
    no_cluster: Any = None
    handlers = kopf.OperatorRegistry()
    kopf.on.startup(registry=handlers)(_end_at_once)
    with pytest.raises(Exception, match="handlers failed"):
        await run_kopf(no_cluster, handlers)


async def _end_at_once(**_: Any) -> None:
    raise kopf.PermanentError("this is as far as the test goes")
