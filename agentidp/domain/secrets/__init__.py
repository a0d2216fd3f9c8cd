"""Client secrets: generation, hashes, delivery into a Secret, time of the last use. Nothing here decides about a client."""
