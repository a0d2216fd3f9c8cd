"""What a granted token says: the grant, the request cache and `tokensValidAfter`.

Who the client is was decided before; the request cache also keeps who the client was.
"""
