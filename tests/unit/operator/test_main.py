"""How the operator's process ends."""

import subprocess
import sys

STUBBORN = """
import asyncio
from agent_operator.main import end_within

async def goes_on() -> None:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def fails() -> None:
    asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    end_within(0.1)
    raise RuntimeError

asyncio.run(fails())
"""


def test_a_process_ends_though_a_task_does_not_end_when_it_is_cancelled() -> None:
    """A watch of Kopf's is such a task when another watch has failed. The kubelet then starts the container again at once."""
    ended = subprocess.run([sys.executable, "-c", STUBBORN], capture_output=True, timeout=120, check=False)
    assert ended.returncode == 1
