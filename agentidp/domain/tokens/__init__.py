"""OAuth tokens: grants, access tokens, client assertions, signing keys, errors. No key is fetched here."""
