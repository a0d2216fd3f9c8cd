"""The management API: REST for people and pipelines that do not speak Kubernetes, as an adapter over the custom resources.

`main` runs it, `app` puts it together. `http` is the edge, `endpoints` has one module a resource, `documents` the JSON.
`callers` says who asks and what they may do, `registry` is what the cluster declares, `changes` writes specs and waits until
they have taken effect. It never reads a Secret, and a plaintext is in one answer only.
"""
