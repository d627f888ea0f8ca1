"""Services over users: passwords, one-time tokens, registration."""
