"""Accounts: registration, passwords, one-time tokens, letters and administration. Not public."""
