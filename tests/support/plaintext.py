"""The forms in which a plaintext may have been written down: as it is, encoded, or a part of it."""

import base64
import json
from urllib.parse import quote, quote_plus

SHORTEST_PART = 16


def forms_of(text: str) -> set[bytes]:
    """All byte strings of which each would give the plaintext away."""
    plaintext = text.encode()
    escaped = {json.dumps(text)[1:-1], quote(text, safe=""), quote_plus(text), plaintext.hex()}
    return {plaintext, *(one.encode() for one in escaped), *halves(plaintext), *encoded(plaintext)}


def halves(plaintext: bytes) -> set[bytes]:
    """What a truncated message shows; nothing where it would be too short to mean anything."""
    middle = len(plaintext) // 2
    return {part for part in (plaintext[:middle], plaintext[middle:]) if len(part) >= SHORTEST_PART}


def encoded(plaintext: bytes) -> list[bytes]:
    """Base64 at each of the three alignments, as inside of something longer (`Authorization: Basic`), in both alphabets."""
    aligned = [_certain_part(plaintext, before) for before in range(3)]
    return [*aligned, *(one.translate(bytes.maketrans(b"+/", b"-_")) for one in aligned)]


def _certain_part(plaintext: bytes, before: int) -> bytes:
    """The digits that depend on the plaintext alone, when so many bytes come before it."""
    digits = base64.b64encode(bytes(before) + plaintext + bytes(3))
    return digits[-(-8 * before // 6) : 8 * (before + len(plaintext)) // 6]
