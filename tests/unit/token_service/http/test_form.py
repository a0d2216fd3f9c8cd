"""Form bodies: any bytes are parsed or rejected, and a form has what the standard library reads."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError
from token_service.http.form import MAX_FIELDS, Form, parse_form, unescaped
from token_service.limits import LIMITS

pairs = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=8)


@given(st.binary(max_size=200))
@example(b"%")
@example(b"a=%f")
@example(b"&&=&=")
def test_form_of_any_bytes_is_parsed_or_rejected(body: bytes) -> None:
    """Never another error than `invalid_request` (RFC 6749, section 5.2)."""
    assert not isinstance(parsed_or_refused(body), ErrorCode)


def parsed_or_refused(body: bytes) -> Form | ErrorCode | None:
    """The form, None where the body is refused, the code of an error that is not what it should be."""
    try:
        return parse_form(body)
    except OAuthError as refused:
        return None if refused.error is ErrorCode.INVALID_REQUEST else refused.error


@given(st.text(alphabet="a=&%+2B0Cé ", max_size=40))
def test_form_is_what_the_standard_library_reads(text: str) -> None:
    """Where each name comes once and nothing is malformed."""
    parsed = parsed_or_refused(text.encode())
    if isinstance(parsed, Form):
        expected = {name: value for name, value in parse_qsl(text, keep_blank_values=True, errors="replace") if value}
        assert parsed.values == expected


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), max_size=8))
def test_form_is_what_the_client_encodes(values: dict[str, str]) -> None:
    """Unless it holds a NUL."""
    values = {name.replace("\0", "-"): value.replace("\0", "-") for name, value in values.items()}
    resources = (values.pop("resource"),) if "resource" in values else ()
    encoded = urlencode(values | ({"resource": resources[0]} if resources else {}))
    assert parse_form(encoded.encode()) == Form(values, resources)


@given(st.binary(max_size=40) | st.text(alphabet="%+2Bfg5cCxu\\N{}é\n\"'", max_size=40).map(str.encode))
@example(b"%%41")
@example(b"%\\41%5c\\x41%4\\")
def test_form_escapes_are_those_of_the_standard_library(escaped: bytes) -> None:
    """Byte for byte, whatever is between them."""
    assert unescaped(escaped) == unquote_to_bytes(escaped.replace(b"+", b" "))


LABORIOUS = {
    "short fields": b"%41&",
    "empty fields": b"&",
    "resources": b"resource=%41&",
    "escapes": b"%41",
    "escapes of two bytes": b"%C3%A9",
    "escapes between other bytes": "é%41".encode(),
    "signs that begin no escape": b"%",
    "halves of escapes": b"%4",
    "signs for spaces": b"a+",
}


@pytest.mark.parametrize("part", LABORIOUS.values(), ids=LABORIOUS)
def test_form_parsing_takes_few_steps(part: bytes) -> None:
    """Strangers send these, before it is known who they are."""
    for begin in (b"", b"a=", b"a=1&" * (MAX_FIELDS - 2)):
        assert steps_of(parsed_or_refused, (begin + part * LIMITS.max_body_bytes)[: LIMITS.max_body_bytes]) < 20 * MAX_FIELDS


def steps_of(function: Callable[[bytes], Any], argument: bytes) -> int:
    """How many lines of Python it takes."""
    steps = 0

    def count(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        function(argument)
    finally:
        sys.settrace(before)
    return steps


FORMS: dict[str, tuple[bytes, Form]] = {
    "a value with an escape and a plus": (b"scope=a%3Ab+c", Form({"scope": "a:b c"})),
    "a name with an escape": (b"sc%6fpe=a", Form({"scope": "a"})),
    "a value with an equals sign": (b"a=b=c", Form({"a": "b=c"})),
    "a parameter without a value is left out": (b"a=&b&c=1", Form({"c": "1"})),
    "empty fields are nothing": (b"&&a=1&&", Form({"a": "1"})),
    "a resource may be repeated": (b"resource=a&resource=b&resource=", Form({}, ("a", "b"))),
    "nothing": (b"", Form({})),
    "as many parameters as there may be": (b"&".join([b"resource=a"] * MAX_FIELDS), Form({}, ("a",) * MAX_FIELDS)),
}


@pytest.mark.parametrize(("body", "form"), FORMS.values(), ids=FORMS)
def test_form_is_parsed(body: bytes, form: Form) -> None:
    """RFC 6749, section 3.2, and the URL standard."""
    assert parse_form(body) == form


WRONG = {
    "a repeated parameter": b"a=1&a=1",
    "a repeated parameter, once without a value": b"a=1&a=",
    "a repeated parameter in disguise": b"a=1&%61=1",
    "a NUL": b"a=\0",
    "an escaped NUL": b"a=%00",
    "bytes that are not UTF-8": b"a=\xff",
    "an escape that is not UTF-8": b"a=%C3",
    "an encoded surrogate": b"a=%ED%A0%80",
    "one parameter too many": b"&".join([b"resource=a"] * (MAX_FIELDS + 1)),
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_form_is_rejected_for(body: bytes) -> None:
    """`invalid_request`."""
    assert parsed_or_refused(body) is None
