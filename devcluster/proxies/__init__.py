"""Reverse proxies that other people wrote, in front of a program: the tests let callers attack each other through them."""
