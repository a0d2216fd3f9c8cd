"""The core kind Secret, whose `repr` has no data."""

from typing import Any

from agentidp.domain.resources.meta import Object


class Secret(Object, frozen=True, kw_only=True):
    """A Kubernetes Secret; `data` is decoded from base64."""

    type: str = "Opaque"
    data: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Name and keys, never values, because tracebacks and logs show this."""
        return f"Secret({self.key}, keys={sorted(self.data)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which does not use the `repr`."""
        return [("key", str(self.key)), ("keys", sorted(self.data))]
