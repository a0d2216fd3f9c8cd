"""Content-Length is `1*DIGIT` (RFC 9110, section 8.6), so leading zeros are no error, however many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.http_server.content_length import is_length_within

MOST = 16_384


@given(st.integers(0, 2 * MOST), st.integers(0, 200))
def test_content_length_counts_by_its_value(length: int, zeros: int) -> None:
    """With any number of leading zeros."""
    assert is_length_within(b"0" * zeros + b"%d" % length, MOST) == (length <= MOST)


@pytest.mark.parametrize("value", [b"", b"-1", b"+1", b"1_0", b" 1", b"0x1", b"\xb2", b"\xd9\xa1", b"9" * 5_000])
def test_content_length_that_is_no_number_of_bytes_is_none(value: bytes) -> None:
    """Or none that is worth parsing."""
    assert not is_length_within(value, MOST)
