"""Validation of user input: fields, email addresses, passwords. Not public."""
