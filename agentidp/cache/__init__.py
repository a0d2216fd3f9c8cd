"""What the cluster declares, in memory: reflectors feed it, lookups are flat and never wait.

Values in a table never change; its feed puts others in their place, one by one, from a watch as from a list.
"""
