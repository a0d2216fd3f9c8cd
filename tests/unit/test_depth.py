"""JSON deeper than decoders go."""

import json

import msgspec
import pytest

from agentidp.kube.depth import MAX_DEPTH, decoded_at_any_depth, shallow
from agentidp.kube.kinds import AGENTS
from agentidp.kube.reflector import decoded
from tests.support.manifests import a_resource

DEPTHS = [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 1_500, 100_000]


def nested(depth: int) -> str:
    """Objects in objects, with a key that looks like the ends of some."""
    return '{"}\\"]\\\\":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_is_too_deep_is_null(depth: int) -> None:
    """And all else stays, byte for byte."""
    body = f'{{"deep": {nested(depth)}, "after": ["\\"", "{{[", {{}}]}}'
    kept = json.loads(shallow(body.encode()))
    assert kept["after"] == ['"', "{[", {}]
    if depth < MAX_DEPTH:
        assert shallow(body.encode()) == body.encode()


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_object_with_deep_managed_fields_is_read(depth: int) -> None:
    """As one without them."""
    manifest = a_resource("Agent", {}, "screener")
    text = json.dumps(manifest)
    deep = text.replace('"metadata": {', f'"metadata": {{"managedFields": [{nested(depth)}], ', 1).encode()
    assert decoded(AGENTS, msgspec.Raw(deep)) == AGENTS.decode(text.encode())


def test_what_is_no_json_stays_none() -> None:
    """Whatever is cut out of it."""
    with pytest.raises(msgspec.DecodeError):
        decoded_at_any_depth(msgspec.json.decode, b'{"a":' * 2_000)
