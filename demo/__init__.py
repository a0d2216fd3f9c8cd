"""The main job, told on a real control plane: what `make demo` shows. Every outcome that is shown was checked."""
