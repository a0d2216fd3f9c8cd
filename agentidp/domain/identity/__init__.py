"""Who a client is and what it may do: registration, admission, accepted hashes, administration. No token is read here."""
