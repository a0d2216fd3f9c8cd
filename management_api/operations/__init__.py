"""Operations on agents and credentials that write specs. Nothing here authenticates, or knows HTTP."""
