"""What Prometheus is told: whom to scrape and how often, and a file of rules. Its configuration is YAML, which JSON is, too."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A program with metrics, and the labels that all its series get."""

    url: str
    labels: Mapping[str, str]

    @property
    def address(self) -> str:
        """Return host and port of the target."""
        return self.url.removeprefix("http://")


@dataclass(frozen=True)
class Configuration:
    """Rules are evaluated as often as targets are scraped."""

    targets: Sequence[Target]
    every_seconds: int
    rules: Path | None = None

    def text(self) -> str:
        """Return the text of the configuration file."""
        every = f"{self.every_seconds}s"
        scraped = [{"targets": [one.address], "labels": dict(one.labels)} for one in self.targets]
        return json.dumps(
            {
                "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
                "rule_files": [str(self.rules)] if self.rules else [],
                "scrape_configs": [{"job_name": "targets", "static_configs": scraped}],
            }
        )
