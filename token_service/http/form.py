"""Form bodies: `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), as OAuth uses them (RFC 6749, section 3.2).

A parameter comes once, except `resource` (RFC 8707, section 2); a parameter without a value counts as not sent. Parsing takes
few Python steps for any content, because anybody may send a body.
"""

import re

from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import invalid_request

REPEATABLE = "resource"
MAX_FIELDS = 100
"""Several times the number of all parameters together with all resources that an agent may name."""

_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Form(Struct, frozen=True, gc=False):
    """The parameters of a request; those without a value are left out."""

    values: dict[str, str]
    resources: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return the names only: values may be secrets, and tracebacks show this text."""
        return f"Form({', '.join(self.values)})"

    def get(self, name: str) -> str | None:
        """The value of a parameter, or None where it was not sent."""
        return self.values.get(name)


def parse_form(body: bytes) -> Form:
    """The form that a body holds. Raises OAuthError."""
    if body.count(b"&") >= MAX_FIELDS:
        raise invalid_request(f"The body holds more than {MAX_FIELDS} parameters.")
    if b"\0" in body or b"%00" in body:
        raise invalid_request("The body holds a NUL.")
    try:
        pairs = _pairs(body.decode())
    except UnicodeDecodeError:
        raise invalid_request("The body is not UTF-8.") from None
    values = {name: value for name, _, value in pairs}
    if len(values) < len(pairs) and _repeats_other_than_resource(pairs, values):
        raise invalid_request("A parameter is given more than once.")
    resources = tuple([value for name, _, value in pairs if name == REPEATABLE and value]) if REPEATABLE in values else ()
    values.pop(REPEATABLE, None)
    if "" in values.values():
        values = {name: value for name, value in values.items() if value}
    return Form(values, resources)


def _pairs(text: str) -> list[tuple[str, str, str]]:
    """Names and values, in order, as `str.partition` gives them. Raises UnicodeDecodeError where an escape is not UTF-8."""
    pairs = [field.partition("=") for field in text.split("&") if field]
    if "%" in text or "+" in text:
        return [(_unquoted(name), equals, _unquoted(value)) for name, equals, value in pairs]
    return pairs


def _unquoted(text: str) -> str:
    return unescaped(text.encode()).decode() if "%" in text else text.replace("+", " ")


def unescaped(escaped: bytes) -> bytes:
    """Decode form encoding as `urllib.parse` does: a `%` that begins no escape stands for itself.

    The text is decoded as a Python literal, which takes the same few Python steps for any number of escapes.
    """
    spaced = escaped.replace(b"+", b" ")
    if b"%" not in spaced:
        return spaced
    literal = _NO_ESCAPE.sub(b"%25", spaced.replace(b"\\", b"%5C"))
    return literal.replace(b"%", rb"\x").decode("unicode_escape").encode("latin-1")


def _repeats_other_than_resource(pairs: list[tuple[str, str, str]], values: dict[str, str]) -> bool:
    repeated = sum(name == REPEATABLE for name, _, _ in pairs) - 1 if REPEATABLE in values else 0
    return len(pairs) - repeated > len(values)
