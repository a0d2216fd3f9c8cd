"""Let Kopf read objects that are nested deeper than Python's own decoder goes (see `agentidp.kube.depth`).

It decodes whole answers, `metadata.managedFields` and all, and a RecursionError ends the operator. It has no setting for that.
"""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
from kopf._cogs.clients import api

from agentidp.kube.depth import decoded_at_any_depth

_api: Any = api
_request = api.request


def read_at_any_depth() -> None:
    """From now on, in this process."""
    _api.json = SimpleNamespace(loads=_loads)  # the one function that it calls
    _api.request = _requested


def _loads(text: str) -> Any:
    return decoded_at_any_depth(json.loads, text.encode())


async def _requested(**options: Any) -> aiohttp.ClientResponse:
    response = await _request(**options)
    response.json = partial(response.json, loads=_loads)  # type: ignore[method-assign]
    return response
