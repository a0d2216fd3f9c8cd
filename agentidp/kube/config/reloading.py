"""Values that are read from files, and read again when the files change.

A look costs one `stat` for each file, so it is made for each request; nothing polls. A file that is being written, or is not
valid, does not take effect: the former value stays, and the log says so once.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from agentidp.kube.errors import ConfigError

ValueT = TypeVar("ValueT")
Stamp = tuple[int, ...] | None

log = logging.getLogger(__name__)


class Reloaded(Generic[ValueT]):
    """What `read` makes of these files. A value that is equal to the former one leaves that in place."""

    def __init__(self, files: Sequence[Path], read: Callable[[], ValueT]) -> None:
        """Raises ConfigError where it cannot be read the first time."""
        self._files = tuple(files)
        self._read = read
        self._seen = self._refused = self._stamps()
        self._value = read()

    def current(self) -> ValueT:
        """As the files are now, or as they were when they could be read."""
        seen = self._stamps()
        if seen != self._seen:
            self._read_again(seen)
        return self._value

    def _read_again(self, seen: tuple[Stamp, ...]) -> None:
        try:
            value = self._read()
        except ConfigError as error:
            if seen != self._refused:
                log.warning("%s The former content stays in use: %s", error, self._names())
            self._refused = seen
            return
        self._seen = self._refused = seen
        if value != self._value:
            self._value = value
            log.info("read again after a change: %s", self._names())

    def _stamps(self) -> tuple[Stamp, ...]:
        return tuple(_stamp(file) for file in self._files)

    def _names(self) -> str:
        return ", ".join(str(file) for file in self._files)


def _stamp(file: Path) -> Stamp:
    """What changes with the file, also where a link to it is changed."""
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_dev, told.st_ino, told.st_mtime_ns, told.st_ctime_ns, told.st_size
