"""Let Kopf take objects that are nested deeper than Python's own decoder goes (see `agentidp.kube.depth`).

It decodes whole answers, `metadata.managedFields` and all, and a RecursionError ends the operator. It has no setting for that.
Then it copies each object, which goes a quarter as deep, so that the object is never handled.
"""

import json
from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
from kopf._cogs.clients import api

from agentidp.kube.depth import decoded_at_any_depth, shallow

_api: Any = api
_request = api.request


def read_at_any_depth() -> None:
    """From now on, in this process."""
    _api.json = SimpleNamespace(loads=_loads)  # the one function that it calls
    _api.request = _requested


def _loads(text: str) -> Any:
    """What a watch tells; an await is not possible here."""
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(shallow(text.encode()))


async def _requested(**options: Any) -> aiohttp.ClientResponse:
    response = await _request(**options)
    response.json = partial(_json, response)  # type: ignore[method-assign]
    return response


async def _json(response: aiohttp.ClientResponse) -> Any:
    return await decoded_at_any_depth(json.loads, await response.read())


class NothingHandledLast(kopf.DiffBaseStorage):
    """Nothing is copied and kept of what an object was: only handlers that we do not have are told how it differs from it."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:  # noqa: ARG002 Kopf's
        """Nothing of it."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002 Kopf's
        """None: nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing."""
