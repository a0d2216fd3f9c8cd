"""Making secrets, never too many at a time: bcrypt takes a core for as long as it takes."""

from agentidp.runtime.secret_maker import MadeSecret, SecretMaker
from management_api.failures import unavailable


class BoundedMaker:
    """Refuses where there are too many in the making already."""

    def __init__(self, threads: int, cost: int, queue: int) -> None:
        self._maker = SecretMaker(threads, cost)
        self._queue = queue
        self.in_the_making = 0

    async def make(self) -> MadeSecret:
        """A secret, for whichever credential. Raises Failure."""
        if self.in_the_making >= self._queue:
            raise unavailable("Too many secrets are being made. Nothing was done.")
        self.in_the_making += 1
        try:
            return await self._maker.make("")
        finally:
            self.in_the_making -= 1
