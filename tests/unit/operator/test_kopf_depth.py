"""Kopf takes objects of any depth."""

import json
from typing import Any

import kopf
import msgspec
import pytest

from agent_operator.events import _configure
from agent_operator.kopf_depth import _loads
from agentidp.domain.resources import Identity


def an_event(depth: int) -> str:
    """What a watch tells of an object that is nested so deep."""
    fields = '{"f:a":' * depth + "{}" + "}" * depth
    return f'{{"type":"ADDED","object":{{"metadata":{{"name":"a","managedFields":[{fields}]}}}}}}'


@pytest.mark.parametrize("depth", [600, 100_000])
async def test_an_object_is_handled(depth: int) -> None:
    """Kopf asks what of it was handled last and what is to be now, and would copy all of it for that."""
    settings = kopf.OperatorSettings()
    await _configure(settings)
    read: Any = _loads(an_event(depth))
    body, storage = kopf.Body(read["object"]), settings.persistence.diffbase_storage
    assert body.metadata.name == "a"
    assert (storage.fetch(body=body), storage.build(body=body)) == (None, {})


async def test_an_object_is_handled_that_a_later_python_has_read_whole() -> None:
    """Since Python 3.12 its decoder goes ten thousand deep, and copying no deeper than before."""
    settings, fields = kopf.OperatorSettings(), dict[str, Any]()
    await _configure(settings)
    for _ in range(9_000):
        fields = {"f:a": fields}
    body = kopf.Body({"metadata": {"name": "a", "managedFields": [fields]}})
    assert settings.persistence.diffbase_storage.build(body=body) == {}
    assert msgspec.convert(dict(body), Named).metadata.name == "a"


class Named(msgspec.Struct):
    """What is read of an object."""

    metadata: Identity


def test_what_is_not_deep_is_read_whole() -> None:
    """As by Python's own decoder."""
    assert _loads(an_event(50)) == json.loads(an_event(50))
