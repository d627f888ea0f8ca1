"""What bounds a request: its deadline, and the breaker of a server that does not answer. Not public."""
