"""Settings: one frozen Struct a program, read from the environment once.

A field `bcrypt_cost` is read from `AGENTIDP_BCRYPT_COST`. One error names every variable that is wrong, and what it should be.
Other variables of this prefix are no error: Kubernetes sets some for each Service of the namespace.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from agentidp.domain.resources.meta import format_duration, parse_duration

PREFIX = "AGENTIDP_"
HIGHEST_PORT = 65_535

SettingsT = TypeVar("SettingsT", bound="CommonSettings")


class InvalidSettings(Exception):
    """The environment is not valid; the message has a line for each variable."""


class Url(str):
    """An absolute http or https URL without query, fragment or trailing slash."""

    __slots__ = ()


class Urls(tuple[Url, ...]):
    """One or several URLs, in text with commas between."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join(self)


class Listen(Struct, frozen=True):
    """Where to listen: `host:port`. The host `::` is every address of the machine, IPv4 and IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def require_another_port(listen: Listen, metrics_listen: Listen | None) -> None:
    """Raises ValueError where metrics have the port of everything else."""
    if metrics_listen and metrics_listen.port == listen.port:
        raise ValueError(f"{PREFIX}METRICS_LISTEN={metrics_listen} is not valid: it should be another port than {PREFIX}LISTEN")


class CommonSettings(Struct, frozen=True, kw_only=True):
    """The settings that all programs have."""

    issuer: Url
    """The `iss` of every token, and where its metadata is found."""
    namespace: str = "agentidp-system"
    """Where the programs, their signing keys and token revocations live."""
    signing_keys_secret: str = "agentidp-signing-keys"  # noqa: S105 the name of a Secret
    """The Secret that the signing keys are in."""
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    """debug, info, warning or error. No level logs a secret."""
    log_format: Annotated[str, Meta(pattern="^(json|console)$")] = "json"
    """json, or console for people."""


def read_settings(kind: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    """The settings that the environment holds. Raises InvalidSettings, also for a ValueError of the Struct itself."""
    values: dict[str, Any] = {}
    errors: list[str] = []
    for field in msgspec.structs.fields(kind):
        variable = PREFIX + field.name.upper()
        text = environment.get(variable)
        if text is None and field.required:
            errors.append(f"{variable} is not set.")
        elif text is not None:
            try:
                values[field.name] = _parse(field.type, text)
            except (msgspec.ValidationError, ValueError) as error:
                errors.append(f"{variable}={text!r} is not valid: {error}")
    if errors:
        raise InvalidSettings("\n".join(errors))
    try:
        return kind(**values)
    except ValueError as error:
        raise InvalidSettings(error) from error


def describe_settings(kind: type[CommonSettings]) -> str:
    """The environment variables that a program reads, for its help text."""
    lines = ["environment:"]
    for field in msgspec.structs.fields(kind):
        default = "required" if field.required else f"default {setting_text(field.default)}"
        lines.append(f"  {PREFIX}{field.name.upper():32} {default}")
    return "\n".join(lines)


def setting_text(value: object) -> str:
    """A setting's value as a person would write it."""
    return format_duration(value) if isinstance(value, timedelta) else str(value)


def _parse(kind: Any, text: str) -> Any:
    """The value in the type of its field: by its notation in `_NOTATIONS`, else as msgspec reads it."""
    notation = next((_NOTATIONS[part] for part in (kind, *get_args(kind)) if part in _NOTATIONS), None)
    return notation(text) if notation else msgspec.convert(text, kind, strict=False)


def _url(text: str) -> Url:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment or text.endswith("/"):
        raise ValueError("it should be a URL like https://idp.example.com, without query, fragment or trailing slash")
    return Url(text)


def _urls(text: str) -> Urls:
    return Urls(_url(url.strip()) for url in text.split(","))


def _listen(text: str) -> Listen:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise ValueError("it should be host:port, like 0.0.0.0:8080 or [::]:8080")
    return Listen(host.removeprefix("[").removesuffix("]"), int(port))


_NOTATIONS: dict[Any, Callable[[str], Any]] = {Url: _url, Urls: _urls, Listen: _listen, timedelta: parse_duration}
