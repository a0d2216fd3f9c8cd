"""The management API: manages agents and their credentials over REST, without Kubernetes access, by the custom resources.

| folder | lives here |
|---|---|
| `endpoints` | the routes, one module for each resource, and their dependencies |
| `schemas` | request and response bodies |
| `operations` | changes: write a spec, wait until it has taken effect, roll back what nobody confirms |
| `auth` | who the caller is, and what the caller may do |
| `http` | middleware, error handlers, rate limits |
| `cache` | what the reflectors saw last |

It never reads a Secret, and a plaintext is in one answer only.
"""
