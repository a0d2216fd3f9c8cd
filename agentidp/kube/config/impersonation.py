"""To act as somebody else: the headers of user impersonation in the Kubernetes API."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

TOKEN_LETTERS = frozenset("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""RFC 9110, section 5.6.2, but for the percent sign, which escapes what is not among them."""


class Impersonation(Struct, frozen=True):
    """Whom to act as: `--as`, `--as-uid`, `--as-group`, `--as-user-extra`, or a kubeconfig's `as…`."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = {}

    @property
    def lacks_user(self) -> bool:
        """The rest means nothing without one."""
        return not self.user and bool(self.uid or self.groups or self.extra)

    def over(self, other: "Impersonation") -> "Impersonation":
        """What is said here, and the other's where nothing is said here: a flag decides its own field only."""
        extra = {**other.extra, **self.extra}
        return Impersonation(self.user or other.user, self.uid or other.uid, self.groups or other.groups, extra)

    def headers(self) -> Iterator[tuple[str, str]]:
        """For each request."""
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
    return "".join(chr(one) if chr(one) in TOKEN_LETTERS else f"%{one:02X}" for one in key.encode())
