"""Who the client is: by a client secret or an assertion. What it may have is decided in `issuance`."""
