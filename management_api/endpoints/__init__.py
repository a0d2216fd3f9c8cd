"""The calls, one module a resource: what a call takes and answers, its documentation, and which change it is."""
