"""How far a running operator is, by what it tells Prometheus."""

import asyncio
import time

import aiohttp

from benchmarks.measure.counters import total

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 600.0


async def exposition(url: str) -> str:
    """Return the metrics of the operator."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(f"{url}/metrics") as answer:
        return await answer.text()


async def until_at_rest(url: str, credentials: int = 0) -> str:
    """Wait until it leads, has looked at its keys and so many credentials, and rests; its metrics at that moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_at_rest(metrics := await exposition(url), credentials):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the operator is not at rest after {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return metrics


def is_at_rest(metrics: str, credentials: int) -> bool:
    """Whether these metrics say so."""
    done = "agentidp_operator_reconciliations_total"
    looks, keys = (total(done, metrics, kind=kind, outcome="done") for kind in ("credential", "signing keys"))
    busy = total("agentidp_operator_queue_length", metrics) + total("agentidp_operator_slowest_worker_seconds", metrics)
    return leads(metrics) and keys > 0 and looks >= credentials and not busy


def leads(metrics: str) -> bool:
    """Whether these metrics say that it is the one that writes."""
    return total("agentidp_operator_leading", metrics) == 1
