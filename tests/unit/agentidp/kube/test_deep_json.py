"""JSON deeper than decoders go."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.kube.deep_json import LIMITS, DepthCut, Limits, chunks, decoded_at_any_depth, shallow
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import decoded
from tests.support.manifests import a_resource

DEPTHS = [LIMITS.max_depth - 1, LIMITS.max_depth, LIMITS.max_depth + 1, LIMITS.cut_depth, 1_500, 100_000]
FLAT = ",".join(f'"f:{number}":{{}}' for number in range(20_000))


def nested(depth: int) -> str:
    """Objects in objects, with a key that looks like the ends of some."""
    return '{"}\\"]\\\\":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", DEPTHS)
def test_shallow_replaces_what_is_too_deep_by_null(depth: int) -> None:
    """And all else stays, byte for byte."""
    body = f'{{"deep": {nested(depth)}, "after": ["\\"", "{{[", {{}}]}}'
    kept = json.loads(shallow(body.encode()))
    assert kept["after"] == ['"', "{[", {}]
    if depth < LIMITS.max_depth:
        assert shallow(body.encode()) == body.encode()


@pytest.mark.parametrize("depth", DEPTHS)
async def test_decoded_at_any_depth_reads_deep_managed_fields(depth: int) -> None:
    """As one without them."""
    manifest = a_resource("Agent", {}, "screener")
    text = json.dumps(manifest)
    deep = text.replace('"metadata": {', f'"metadata": {{"managedFields": [{nested(depth)}], ', 1).encode()
    assert await decoded(AGENTS, msgspec.Raw(deep)) == AGENTS.decode(text.encode())


NO_JSON = {
    "objects without an end": b'{"a":' * 100_000,
    "a string without an end": b"[" * 100_000 + b'"\\',
    "an end too few": b"[" * 100_000 + b"]" * 99_999,
    "an end too many": b"[" * 100_000 + b"]" * 100_001,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
async def test_decoded_at_any_depth_refuses_what_is_no_json(body: bytes) -> None:
    """Whatever is cut out of it."""
    with pytest.raises(msgspec.DecodeError):
        await decoded_at_any_depth(msgspec.json.decode, body)


VALUES = st.recursive(
    st.none() | st.integers() | st.text('"\\{}[],:x', max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('"\\{}[]x', max_size=20), inner, max_size=4),
    max_leaves=30,
)


@given(VALUES, st.integers(1, 4), st.integers(1, 40), st.booleans())
def test_shallow_keeps_what_is_less_deep(value: Any, deepest: int, chunk_bytes: int, compact: bool) -> None:
    """However the body falls into chunks."""
    body = json.dumps(value, separators=(",", ":") if compact else None).encode()
    kept = json.loads(shallow(body, Limits(max_depth=deepest, cut_depth=deepest + 1, chunk_bytes=chunk_bytes)))
    assert pruned(kept, deepest) == pruned(value, deepest)
    assert depth_of(kept) <= deepest + 2


def pruned(value: Any, deepest: int) -> Any:
    """Without what is nested deeper."""
    if isinstance(value, dict):
        return {key: pruned(one, deepest - 1) for key, one in value.items()} if deepest else None
    if isinstance(value, list):
        return [pruned(one, deepest - 1) for one in value] if deepest else None
    return value


def depth_of(value: Any) -> int:
    """How deep it is nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


LARGE = {
    "above the depths": f"[{nested(100_000)},{{{FLAT}}}]",
    "in the depths": f"{'[' * 100_000}{{{FLAT}}}{']' * 100_000}",
    "just where it may be cut off": f"{'[' * 300}[{nested(100_000)},{{{FLAT}}}]{']' * 300}",
}


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_depth_cut_examines_only_chunks_at_the_cut(body: str) -> None:
    """All other chunks are counted as a whole, which is several times faster."""
    text = body.encode()
    cut = DepthCut(text)
    for chunk in chunks(text):
        cut.add(chunk)
    assert 0 < cut.examined_bytes < len(text) / 50
    assert cut.result() != text


async def test_decoded_at_any_depth_lets_others_run_meanwhile() -> None:
    """Each time after a few KiB."""
    body = f"[{nested(100_000)},{{{FLAT}}}]".encode()
    reading = asyncio.create_task(decoded_at_any_depth(msgspec.json.decode, body))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= len(body) // (LIMITS.chunks_per_turn * (LIMITS.chunk_bytes + len(nested(1))))
    assert len((await reading)[1]) == 20_000
