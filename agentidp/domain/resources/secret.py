"""The core kind Secret, which never shows its data by accident."""

from typing import Any

from agentidp.domain.resources.meta import Object


class Secret(Object, frozen=True, kw_only=True):
    """A Kubernetes Secret; `data` is decoded from base64."""

    type: str = "Opaque"
    data: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Name and keys, never values: this is what a traceback or a log line would show."""
        return f"Secret({self.key}, keys={sorted(self.data)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which does not ask for the `repr`."""
        return [("key", str(self.key)), ("keys", sorted(self.data))]
