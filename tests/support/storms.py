"""Somebody who writes the same object again and again, as fast as the API server takes it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.support.objects import Objects

WRITERS = 2

Write = Callable[[Objects, int], object]


class Storm:
    """Some writers at once, while the block runs; each write is told its number."""

    def __init__(self, kubeconfig: Path, write: Write) -> None:
        self.writes = 0
        self._kubeconfig = kubeconfig
        self._write = write
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(WRITERS)]

    def _run(self, number: int) -> None:
        with Objects(self._kubeconfig) as objects:
            while not self._ended.is_set():
                self._write(objects, number)
                number += WRITERS
                self.writes += 1

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
