"""Which API server, and as whom: a kubeconfig as kubectl reads it, or the pod's ServiceAccount.

A kubeconfig becomes a `RestConfig` (a value), and a `ClientIdentity` turns that into the headers and the TLS context of each
request. Files are read again when they change. No request is sent here. A field means what it means to client-go's `clientcmd`.
"""
