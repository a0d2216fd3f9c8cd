"""Form bodies: `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), as OAuth wants them (RFC 6749, section 3.2).

A parameter comes once, except `resource` (RFC 8707, section 2); one without a value is as good as not sent.
"""

from urllib.parse import unquote_plus

from msgspec import Struct

from agentidp.domain.oauth_errors import OAuthError, invalid_request

REPEATABLE = "resource"


class Form(Struct, frozen=True, gc=False):
    """The parameters of a request; those without a value are left out."""

    values: dict[str, str]
    resources: tuple[str, ...] = ()

    def get(self, name: str) -> str | None:
        """The value of a parameter, or None where it was not sent."""
        return self.values.get(name)


def parse_form(body: bytes) -> Form | OAuthError:
    """The form that a body holds."""
    if b"\0" in body or b"%00" in body:
        return invalid_request("The body holds a NUL.")
    try:
        pairs = _pairs(body.decode())
    except UnicodeDecodeError:
        return invalid_request("The body is not UTF-8.")
    values: dict[str, str] = {}
    resources: list[str] = []
    for name, value in pairs:
        if name == REPEATABLE:
            resources.append(value)
        elif name in values:
            return invalid_request("A parameter is given more than once.")
        else:
            values[name] = value
    return _form(values, resources)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Names and values, in order. Raises UnicodeDecodeError where an escape is not UTF-8."""
    pairs = []
    for field in text.split("&"):
        if field:
            name, _, value = field.partition("=")
            if "%" in field or "+" in field:
                name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
            pairs.append((name, value))
    return pairs


def _form(values: dict[str, str], resources: list[str]) -> Form:
    if "" in values.values():
        values = {name: value for name, value in values.items() if value}
    return Form(values, tuple(filter(None, resources)))
