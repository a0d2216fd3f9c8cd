"""What benchmarks run on: a control plane of their own, the real programs, and objects to begin with."""
