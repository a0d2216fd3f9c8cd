"""A running Prometheus as a value: launch it, ask it, end it."""

from pathlib import Path
from typing import Self

from devcluster.ports import ReservedPort
from devcluster.processes import Children
from devcluster.prometheus.configuration import Configuration
from devcluster.prometheus.program import prometheus_program
from devcluster.readiness import answers, wait_until


class Prometheus:
    """On a loopback port, everything that it keeps in one directory.

    It ends with `close`, at the end of a `with` block, and in any case with the process that started it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = ReservedPort()
        self._children = Children()

    @classmethod
    def launch(cls, directory: Path, configuration: Configuration) -> Self:
        """A running, ready server; raises with the end of its log where it does not take the configuration or the rules.

        The program is compiled if this machine has none yet.
        """
        server = cls(directory)
        try:
            server._start(prometheus_program(), configuration)
        except BaseException:
            server.close()
            raise
        return server

    @property
    def url(self) -> str:
        """Return the URL of Prometheus."""
        return f"http://127.0.0.1:{self._port.number}"

    def close(self) -> None:
        """End it; the directory stays."""
        self._children.end_all()
        self._port.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, program: Path, configuration: Configuration) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / "prometheus.yaml"
        file.write_text(configuration.text())
        child = self._children.start("prometheus", self._command(program, file), self._directory / "prometheus.log")
        wait_until(lambda: answers(f"{self.url}/-/ready"), child)

    def _command(self, program: Path, file: Path) -> list[str | Path]:
        return [
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={self._directory / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--log.level=warn",
        ]
