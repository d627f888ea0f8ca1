"""Keys and password hashes."""
