"""The image: its sources are those of the wheel, and its dependencies are the tested versions."""

import re

import yaml
from packaging.requirements import Requirement

from devcluster.chart import CHART
from devcluster.environment import ROOT, WHEEL_SOURCES

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_image_is_built_from_the_sources_of_the_wheel() -> None:
    """A package that is added to the wheel must be added to the image, too."""
    copied = {source for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()}
    assert copied == {*WHEEL_SOURCES, "requirements.lock", "requirements-build.lock"}


def test_image_context_has_nothing_else() -> None:
    """No .git, no .venv, no test: .dockerignore names the exceptions from everything."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert allowed == {*WHEEL_SOURCES, "requirements.lock", "requirements-build.lock"}


def test_image_has_every_program_of_the_chart() -> None:
    """What a pod runs must be in the image."""
    scripts = set(re.findall(r"^([\w-]+) = \"[\w.]+:main\"", (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
    templates = "".join(one.read_text() for one in CHART.glob("templates/*.yaml"))
    commands = set(re.findall(r'"(agentidp-[\w-]+)"', templates))
    assert commands
    assert commands <= scripts


def test_image_has_the_tested_versions() -> None:
    """One package, one version, the same files: whichever lock file it is in."""
    tested = locked("requirements-dev.lock")
    for name in ("requirements.lock", "requirements-build.lock"):
        for package, pin in locked(name).items():
            assert tested[package] == pin, package


def test_image_installs_the_locked_versions() -> None:
    """Each package by its hash or from the builder's own disk, and as a wheel, so that none runs code of its own meanwhile."""
    installs = re.findall(r"-m pip (?:--python \S+ )?install .*?(?= &&|\n(?!  ))", DOCKERFILE.replace("\\\n", ""), re.DOTALL)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)
    assert "PIP_ONLY_BINARY=:all:" in DOCKERFILE


def test_image_tag_of_the_chart_is_the_version_of_the_project() -> None:
    """The chart's appVersion is the image's tag."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert str(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]) == version[1]
    assert f"ARG VERSION={version[1]}\n" in DOCKERFILE


def locked(lock_file: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of each package."""
    entries = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", (ROOT / lock_file).read_text(), flags=re.MULTILINE))
    found = {}
    for entry in filter(None, entries):
        requirement = Requirement(entry.split("\\")[0].strip())
        found[requirement.name] = (str(requirement.specifier), frozenset(re.findall(r"sha256:\w+", entry)))
    return found
