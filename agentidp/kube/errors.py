"""Errors of the Kubernetes API, one exception a status code (API conventions, "HTTP Status codes")."""

import msgspec


class ApiError(Exception):
    """The API server refused a request, or could not be reached (`status` 0)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message


class Unreachable(ApiError):
    """There was no response: the request may have been carried out or not."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class ConfigError(ApiError):
    """No usable server or identity is configured; nothing was sent. `message` is a sentence, `advice` says what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(0, "NotConfigured", message)
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class TooLarge(ApiError):
    """The response has more bytes than the caller takes."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "TooLarge", message)


class NotFound(ApiError):
    """404: there is no such object."""


class Conflict(ApiError):
    """409: the object has changed since it was read, or exists already."""


class Gone(ApiError):
    """410: the resource version is too old for a watch."""


class Forbidden(ApiError):
    """403: RBAC does not allow it, or an admission rule (a quota, a terminating namespace) refuses it."""

    @property
    def is_about_rights(self) -> bool:
        """Whether RBAC forbids it: its message names user, verb and resource, as no other does."""
        return " cannot " in self.message


class Invalid(ApiError):
    """422: the object is not valid for its kind."""


_BY_STATUS: dict[int, type[ApiError]] = {403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 422: Invalid}


class _Status(msgspec.Struct, frozen=True):
    """`metav1.Status`, the body of every error response."""

    code: int = 0
    reason: str = ""
    message: str = ""


def error_from(status: int, body: bytes) -> ApiError:
    """The error that the body of a response describes."""
    try:
        described = msgspec.json.decode(body, type=_Status)
    except msgspec.DecodeError:
        described = _Status(reason="Unexplained", message=body[:200].decode(errors="replace"))
    code = described.code or status
    return _BY_STATUS.get(code, ApiError)(code, described.reason, described.message)
