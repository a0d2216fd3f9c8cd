"""User impersonation in the Kubernetes API: the headers by which a request acts as another user."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

TOKEN_LETTERS = frozenset("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The characters of a token (RFC 9110, section 5.6.2) but the percent sign, which escapes all others."""


class Impersonation(Struct, frozen=True):
    """The user to act as: `--as`, `--as-uid`, `--as-group`, `--as-user-extra`, or a kubeconfig's `as…`."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = {}

    @property
    def lacks_user(self) -> bool:
        """Whether there is no user for a uid, groups or extra, which mean nothing alone."""
        return not self.user and bool(self.uid or self.groups or self.extra)

    def over(self, other: "Impersonation") -> "Impersonation":
        """This impersonation, with the other's value in each field that has none: a flag decides its own field only."""
        extra = {**other.extra, **self.extra}
        return Impersonation(self.user or other.user, self.uid or other.uid, self.groups or other.groups, extra)

    def headers(self) -> Iterator[tuple[str, str]]:
        """The headers of a request."""
        if self.user:
            yield "Impersonate-User", self.user
        if self.uid:
            yield "Impersonate-Uid", self.uid
        for group in self.groups:
            yield "Impersonate-Group", group
        for key, values in self.extra.items():
            for value in values:
                yield f"Impersonate-Extra-{_escaped(key)}", value


def _escaped(key: str) -> str:
    return "".join(chr(byte) if chr(byte) in TOKEN_LETTERS else f"%{byte:02X}" for byte in key.encode())
