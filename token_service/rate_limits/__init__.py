"""Every limit on requests: client rate, daily quota, revocation quota and tarpit. Nothing here authenticates a client.

| endpoint | `client_rate` | `daily_quota` | `revocation_quota` | `tarpit` |
|---|---|---|---|---|
| `POST /token` | after authentication | before the token is signed | | rejections |
| `POST /token/introspect` | after authentication | | | rejections |
| `POST /token/revoke` | after authentication | | before the TokenRevocation is written | rejections |

Keys, metadata, probes and the internal endpoints have no limit of their own. `limits` has the numbers that are no settings; what
bounds guesses is in `client_secrets.brute_force`, what bounds live reads in `cluster.live_reads`.
"""
