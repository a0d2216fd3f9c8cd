"""What the load generator makes of an answer."""

import pytest

from benchmarks.measure.http_generator import status_in

HEAD = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 4\r\nX-Other: 9\r\n\r\n"

ANSWERS: dict[str, tuple[bytes, int | None]] = {
    "a whole answer has its status": (HEAD + b"body", 200),
    "names of headers have no case": (HEAD.lower() + b"body", 200),
    "a failure has its status": (HEAD.replace(b"200 OK", b"429 Too Many Requests") + b"body", 429),
    "half of a head is no answer yet": (HEAD[:-3], None),
    "half of a body is no answer yet": (HEAD + b"bo", None),
    "nothing is no answer": (b"", None),
}


@pytest.mark.parametrize(("received", "status"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer(received: bytes, status: int | None) -> None:
    """Its status, once all of it is there."""
    assert status_in(received) == status
