"""Sessions: tokens, identities, rotation of refresh tokens, and revocation. Not public."""
