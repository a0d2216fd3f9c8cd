"""What the cluster declares, in memory: reflectors feed it, lookups are flat and never wait.

A table is a plain value; its feed puts changes into it, and after a new list puts another in its place, in one assignment.
"""
