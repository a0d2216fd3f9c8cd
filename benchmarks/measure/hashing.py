"""What bcrypt costs on this machine at this moment: the bound that no issuer of secrets can be faster than."""

import asyncio
import os
import time

from agentidp.domain.secrets.client_secrets import MIN_COST, generate_secret, hash_secret
from agentidp.runtime.pools.secret_generator import SecretGenerator

CORES = os.cpu_count() or 1


async def seconds_for_hashes(count: int) -> float:
    """How long it takes to make so many secrets with the operator's own pool and nothing else, on all cores."""
    maker = SecretGenerator(CORES, MIN_COST)
    started = time.monotonic()
    await asyncio.gather(*(maker.make("") for _ in range(count)))
    return time.monotonic() - started


async def seconds_for_one_hash() -> float:
    """Measure one bcrypt hash on an idle core."""
    started = time.monotonic()
    await asyncio.to_thread(hash_secret, generate_secret(), MIN_COST)
    return time.monotonic() - started
