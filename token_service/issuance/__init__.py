"""What a granted token says: the grant, the request cache and `tokensValidAfter`. Who the client is was decided before."""
