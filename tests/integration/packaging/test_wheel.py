"""The wheel that would be shipped, and the traps of a folder called `operator/`, which the standard library has a module of."""

import subprocess
import sys
import sysconfig
import zipfile
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.crd_schema import CHECKOUT

PACKAGES = ("agentidp", "agent_operator", "token_service", "management_api", "kubectl_agentidp")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of a freshly built wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    hatchling = Path(sys.executable).parent / "hatchling"
    subprocess.run([hatchling, "build", "--target", "wheel", "--directory", directory], cwd=CHECKOUT, check=True)
    (wheel,) = directory.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_the_programs(shipped: list[str]) -> None:
    """No `operator` at its top, no development tools, no tests."""
    top = {name.split("/")[0] for name in shipped}
    assert set(PACKAGES) <= top
    assert not top & {"operator", "tests", "devcluster", "demo", "benchmarks"}


def test_types_are_shipped(shipped: list[str]) -> None:
    """Whoever builds on the library has them checked."""
    assert "agentidp/py.typed" in shipped


def test_the_operator_folder_is_no_package() -> None:
    """With an `__init__.py` it would shadow the standard library for whatever runs in the checkout."""
    assert not (CHECKOUT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("how", [["-c"], ["-P", "-c"]], ids=["python -c", "python -P -c"])
def test_operator_is_the_standard_librarys(how: list[str]) -> None:
    """Also for a Python that runs in the checkout, where the current directory comes first."""
    assert run(*how, "import operator; print(operator.__file__)") == f"{sysconfig.get_path('stdlib')}/operator.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_tests_use_what_is_installed(package: str) -> None:
    """Not the checkout: what is tested is what would be shipped."""
    (place,) = import_module(package).__path__
    assert Path(place).is_relative_to(sysconfig.get_path("purelib"))


def test_each_console_script_starts() -> None:
    """They are there, and find all that they import."""
    scripts = {script.name for script in distribution("agentidp").entry_points if script.group == "console_scripts"}
    assert {"agentidp-operator", "agentidp-token-service", "kubectl-agentidp"} <= scripts
    for script in scripts:
        subprocess.run([Path(sys.executable).parent / script, "--help"], capture_output=True, check=True)


def test_a_program_without_settings_says_what_it_needs() -> None:
    """By the variable's name, with exit status 2 and no traceback."""
    for script in ("agentidp-operator", "agentidp-token-service"):
        ended = subprocess.run([Path(sys.executable).parent / script], env={}, capture_output=True, text=True, check=False)
        assert ended.returncode == 2
        assert ended.stderr == f"{script}: AGENTIDP_ISSUER is not set.\n"


def run(*arguments: str) -> str:
    """What Python prints in the checkout."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.strip()
