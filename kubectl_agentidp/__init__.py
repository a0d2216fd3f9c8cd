"""`kubectl agentidp`: the kubectl plugin. It reads and changes resources with the caller's own rights.

`commands` has one module for each command, `views` turns resources into text. The other modules parse the command line, find
the cluster and the identity as kubectl does, and turn errors into advice.
"""
