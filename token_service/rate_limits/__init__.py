"""Every limit on requests: client rate, daily quota, revocation quota and tarpit. Nothing here authenticates a client."""
