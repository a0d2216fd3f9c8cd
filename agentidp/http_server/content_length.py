"""Content-Length (RFC 9110, section 8.6): digits, of which any number may be leading zeros."""

MAX_DIGITS = 20
"""A number of more digits is not even parsed."""


def is_length_within(value: bytes, max_bytes: int) -> bool:
    """Whether this value of the header is a number, and not above the limit."""
    digits = value.lstrip(b"0")
    return value.isdigit() and len(digits) <= MAX_DIGITS and int(digits or b"0") <= max_bytes
