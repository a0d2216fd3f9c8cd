"""Compilers and runtimes of other languages: the one on PATH if it is new enough, else one from the Python package index."""
