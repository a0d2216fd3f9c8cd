"""One module for each endpoint; its docstring names the endpoint and the section of the standard that decides it."""
