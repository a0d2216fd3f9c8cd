"""File values: values that are read from files, and read again when the files change.

Flows in: paths, and a function that reads them. Flows out: the value as the files are now. A check costs one `stat` a file, so
each request makes it, and nothing polls. A file that is being written, or is not valid, has no effect: the former value stays,
and the log says so once. Decision 37 says why.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from agentidp.kube.errors import ConfigError

ValueT = TypeVar("ValueT")
Stamp = tuple[int, ...] | None

log = logging.getLogger(__name__)


class FileValue(Generic[ValueT]):
    """The value that `read` returns for these files. An equal value keeps the former object."""

    def __init__(self, files: Sequence[Path], read: Callable[[], ValueT]) -> None:
        """Read the files. Raises ConfigError where they are not valid."""
        self._files = tuple(files)
        self._read = read
        self._stamps = self._failed_stamps = self._present_stamps()
        self._value = read()

    def current(self) -> ValueT:
        """The value as the files are now, or as they were when they were last valid."""
        stamps = self._present_stamps()
        if stamps != self._stamps:
            self._read_again(stamps)
        return self._value

    def _read_again(self, stamps: tuple[Stamp, ...]) -> None:
        try:
            value = self._read()
        except ConfigError as error:
            if stamps != self._failed_stamps:
                log.warning("%s The former content stays in use: %s", error, self._names())
            self._failed_stamps = stamps
            return
        self._stamps = self._failed_stamps = stamps
        if value != self._value:
            self._value = value
            log.info("read again after a change: %s", self._names())

    def _present_stamps(self) -> tuple[Stamp, ...]:
        return tuple(_stamp(file) for file in self._files)

    def _names(self) -> str:
        return ", ".join(str(file) for file in self._files)


def _stamp(file: Path) -> Stamp:
    """Numbers that change with the file, and with the target of a link to it."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size
