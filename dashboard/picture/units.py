"""Values as the dashboard's units write them."""

DURATIONS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
THOUSANDS = ((1e9, "Bil"), (1e6, "Mil"), (1e3, "K"))
RATES = {"reqps": "req/s", "ops": "ops/s"}


def with_unit(value: float, unit: str) -> str:
    """With three digits, such as `12.5 ms`; raises KeyError for a unit that is not known here."""
    if unit == "s":
        return duration(value)
    if unit == "short":
        return short(value)
    return f"{short(value)} {RATES[unit]}"


def duration(seconds: float) -> str:
    """In the largest unit of which it has at least one."""
    size, name = next((one for one in DURATIONS if abs(seconds) >= one[0]), DURATIONS[-1])
    return f"{seconds / size:.3g} {name}" if seconds else "0 s"


def short(value: float) -> str:
    """Write thousands as K, millions as M."""
    size, name = next((one for one in THOUSANDS if abs(value) >= one[0]), (1, ""))
    return f"{value / size:.3g}{f' {name}' if name else ''}"
