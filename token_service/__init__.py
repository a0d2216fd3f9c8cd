"""The token service: trades client credentials for signed access tokens, from an index in memory that Kubernetes feeds.

`main` runs it, `app` puts it together, `endpoints` has one module for each of them. `http` is the edge: requests become values
there, and values answers. `index` is what the cluster declares; `authentication` judges a pair by it.
"""
