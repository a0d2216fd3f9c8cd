"""The operator: Kopf watches, the cluster cache enqueues requests, reconcilers gather and execute what the domain decides.

`watch` is the only folder that imports Kopf; `cache` holds the objects; `work_queue` decides which request is next, and when;
`reconcilers` has one reconciler for each kind; `leadership` holds the Lease and the only way to write. No policy lives here.
"""
