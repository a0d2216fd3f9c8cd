"""The credential plugins that may run: `credentialPluginPolicy` of a kuberc (kubectl's preferences file, `Preference` kind).

This plugin runs no credential plugin that kubectl would not run.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from agentidp.kube.errors import ConfigError

DEFAULT_PATH = ".kube/kuberc"
VERSION_WITHOUT_POLICY = "kubectl.config.k8s.io/v1alpha1"


class _AllowlistEntry(Struct, frozen=True):
    command: str = ""
    name: str = ""


class _Preference(Struct, frozen=True, rename="camel"):
    kind: str = ""
    api_version: str = ""
    credential_plugin_policy: str | None = None
    credential_plugin_allowlist: tuple[_AllowlistEntry, ...] | None = None


class PluginPolicy(Struct, frozen=True):
    """The policy of a kuberc; without a file every credential plugin may run."""

    file: Path | None

    def __call__(self, plugin: str) -> None:
        """Raise ConfigError if the plugin, an absolute path, may not run."""
        preference = _read(self.file) if self.file else _Preference()
        policy = preference.credential_plugin_policy or "AllowAll"
        allowed = [_path(entry) for entry in preference.credential_plugin_allowlist or ()]
        if not (policy == "AllowAll" or (policy == "Allowlist" and plugin in allowed)):
            problem = f"{self.file} does not let the credential plugin {plugin} run."
            raise ConfigError(problem, "Add it to credentialPluginAllowlist.")


def plugin_policy(environment: Mapping[str, str]) -> PluginPolicy:
    """Return the policy of the file that kubectl reads: `$KUBERC`, else `~/.kube/kuberc`.

    `KUBERC=off` and `KUBECTL_KUBERC=false` turn the file off.
    """
    file = environment.get("KUBERC", "")
    if file == "off" or environment.get("KUBECTL_KUBERC", "").lower() == "false":
        return PluginPolicy(None)
    default = Path.home() / DEFAULT_PATH
    return PluginPolicy(Path(file) if file else default if default.exists() else None)


def _read(file: Path) -> _Preference:
    try:
        preferences = [msgspec.convert(document or {}, _Preference) for document in _documents(file)]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"the kuberc {file} cannot be read, and may forbid credential plugins.", "Repair it.") from error
    with_policy = (item for item in preferences if item.kind == "Preference" and item.api_version != VERSION_WITHOUT_POLICY)
    return next(with_policy, _Preference())


def _documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text()))


def _path(entry: _AllowlistEntry) -> str:
    """Return the absolute path of an entry; a bare name is looked up in the PATH."""
    command = entry.command or entry.name
    return command if os.sep in command else shutil.which(command) or ""
