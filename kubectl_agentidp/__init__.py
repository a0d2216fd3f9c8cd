"""`kubectl agentidp`: what a person on call types. Reads and changes resources with that person's own rights.

`commands` has one module for each family of commands, `views` turns resources into text and knows no cluster, and the rest is
how to get at the cluster and how to say what went wrong.
"""
