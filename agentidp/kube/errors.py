"""What the API server answers when it does not do what it was asked, as exceptions that callers can tell apart."""

import msgspec


class ApiError(Exception):
    """The API server refused a request, or could not be reached (`status` 0)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message


class Unreachable(ApiError):
    """No answer: whether the request was carried out is not known."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "Unreachable", message)


class ConfigError(ApiError):
    """There is no usable server or identity, and nothing was sent. `message` is a sentence; `advice` says what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(0, "NotConfigured", message)
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class TooLarge(ApiError):
    """An answer with more bytes than whoever asked would take."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "TooLarge", message)


class NotFound(ApiError):
    """404: no such object."""


class Conflict(ApiError):
    """409: the object has changed since it was read, or exists already."""


class Gone(ApiError):
    """410: the resource version is too old to watch from."""


class Forbidden(ApiError):
    """403: RBAC does not allow it, or an admission rule (a quota, a terminating namespace) refuses it."""

    @property
    def is_about_rights(self) -> bool:
        """RBAC's own words name user, verb and resource; other refusals have nothing to do with rights."""
        return " cannot " in self.message


class Invalid(ApiError):
    """422: the object is not valid."""


_BY_STATUS: dict[int, type[ApiError]] = {403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 422: Invalid}


class _Status(msgspec.Struct, frozen=True):
    """`metav1.Status`, the body of every refusal."""

    code: int = 0
    reason: str = ""
    message: str = ""


def error_from(status: int, body: bytes) -> ApiError:
    """The error that a refusal's body describes."""
    try:
        told = msgspec.json.decode(body, type=_Status)
    except msgspec.DecodeError:
        told = _Status(reason="Unexplained", message=body[:200].decode(errors="replace"))
    code = told.code or status
    return _BY_STATUS.get(code, ApiError)(code, told.reason, told.message)
