"""Checking what users send: fields, addresses, passwords."""
