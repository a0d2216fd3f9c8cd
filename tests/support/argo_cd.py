"""Argo CD's judgement of a resource: the script of the guide, in the Lua that Argo CD has (5.1), with a global `obj`."""

import yaml
from lupa.lua51 import LuaRuntime

from tests.support.crd_schema import Manifest
from tests.support.guides import GUIDES, blocks_of


def health(resource: Manifest) -> str:
    """Healthy, Progressing, Suspended or Degraded."""
    lua = LuaRuntime()
    lua.globals().obj = lua.table_from(resource, recursive=True)
    return str(lua.execute(_script())["status"])


def _script() -> str:
    (config,) = [yaml.safe_load(one) for one in blocks_of(GUIDES / "gitops.md", "yaml") if "argocd-cm" in one]
    (customization,) = yaml.safe_load(config["data"]["resource.customizations"]).values()
    return str(customization["health.lua"])
