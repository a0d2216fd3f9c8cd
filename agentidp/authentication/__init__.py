"""What several programs need to authenticate: bearer tokens, key sets, tokens of the own ServiceAccount. No HTTP answers."""
