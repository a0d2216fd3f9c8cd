"""The operator: Kopf sees changes, the domain decides, and the executor writes what was decided.

`events` is all that Kopf calls; `world` is what was seen; `work` is which object is looked at next, and when; `credentials`,
`agents`, `organizations` and `signing_keys` reconcile one kind each; `writes` is the only way to the API server's state.
No policy lives here.
"""
