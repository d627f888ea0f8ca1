"""A model of accounts, sessions and refresh, and a machine that compares the library with it in random sequences."""
