"""The token service: issues signed access tokens for client credentials, from a cluster cache that is fed by watches.

`main`, `server`, `app` and `wiring` start it; `settings` and `limits` bound it. `endpoints` has a module for each URL, and
`endpoints.token` reads as the five steps of a token request. Below are `authentication` (who the client is), `issuance` (what a
granted token says), `issued_tokens` (tokens that exist), `rate_limits`, `client_secrets` (is this the hash's secret), `cluster`
(what the API server has) and `http` (bytes to values and back).
"""
