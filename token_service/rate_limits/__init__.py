"""Every limit on requests: client rate, daily quota, revocation quota and tarpit. Nothing here authenticates a client.

| endpoint | `client_rate` | `daily_quota` | `revocation_quota` | `tarpit` |
|---|---|---|---|---|
| `POST /token` | after authentication | before the token is signed | | rejections |
| `POST /token/introspect` | after authentication | | | rejections |
| `POST /token/revoke` | after authentication | | before the TokenRevocation is written | rejections |

Keys, metadata, probes and the internal endpoints have no limit of their own. `limits` has the numbers that are no settings.
`client_secrets.brute_force` bounds guesses, `cluster.live_reads` bounds reads of the API server.
"""
