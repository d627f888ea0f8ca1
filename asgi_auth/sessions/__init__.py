"""Tokens, identities and sessions: made, verified, refreshed, revoked."""
