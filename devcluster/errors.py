"""The one error that devcluster raises on purpose: its text is written for the person at the terminal."""


class DevclusterError(Exception):
    """Something outside failed; the message says what, and what to do about it."""
