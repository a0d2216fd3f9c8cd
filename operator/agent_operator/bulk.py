"""What the operator does not remember of an object: whoever may write one may give it a MiB that means nothing here.

A decision that would write is taken from the object as the API server has it, so what is left out here is never missed.
"""

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from agentidp.domain.resources import Secret
from agentidp.kube.kinds import ObjectT

MOST = 4096
"""Bytes of a value, or characters: as many as a declared annotation may have. What is delivered is shorter."""

TextT = TypeVar("TextT", str, bytes)


def without_bulk(value: ObjectT) -> ObjectT:
    """The same object, but for long values of annotations and of a Secret: they are empty."""
    if _is_bulky(value.metadata.annotations):
        value = replace(value, metadata=replace(value.metadata, annotations=_shortened(value.metadata.annotations)))
    if isinstance(value, Secret) and _is_bulky(value.data):
        value = replace(value, data=_shortened(value.data))
    return value


def _is_bulky(values: Mapping[str, TextT]) -> bool:
    return any(len(one) > MOST for one in values.values())


def _shortened(values: Mapping[str, TextT]) -> dict[str, TextT]:
    return {key: one if len(one) <= MOST else one[:0] for key, one in values.items()}
