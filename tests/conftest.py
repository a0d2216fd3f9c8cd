"""What all suites share: where the checkout is on the import path, and a way to tell what was measured."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Last, not first: the programs under test come from the installed wheel; only `devcluster`, `demo` and `tests` come from here.
sys.path.append(str(Path(__file__).resolve().parent.parent))

MEASURED = "measured"

# No property is about how fast a machine is: on a busy one, an example may take any time.
settings.register_profile("any-speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-speed")


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a line printed in the end, also when the test passes, and also when it runs in another process."""
    return lambda line: record_property(MEASURED, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured, under the name of each."""
    told = [
        (report.nodeid, value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == MEASURED
    ]
    if told:
        terminalreporter.section("measured")
    for test, line in told:
        terminalreporter.line(f"{line}  ({test})")
