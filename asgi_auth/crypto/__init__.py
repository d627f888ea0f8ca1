"""Keys and password hashing. Not public."""
