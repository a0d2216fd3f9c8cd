"""What AgentIdP costs and how fast it is, measured on a real control plane with the real programs.

A benchmark is one module with one function that returns a `Result`; `registry` names them all. `stage` is what they run on,
`measure` is how they look at processes and counters, `report` is how a result becomes JSON, plots and lines on a terminal.
Nothing here is a test: a benchmark says what it has measured and fails only where it could not measure.
"""
