"""The API server and the identity of a program: a kubeconfig as kubectl reads it, or the pod's ServiceAccount.

A kubeconfig becomes a `RestConfig` (a value), from which a `ClientIdentity` makes the headers and the TLS context of each
request. Files are read again when they change. A field has the meaning that it has in client-go's `clientcmd`. No request is
sent here.
"""
