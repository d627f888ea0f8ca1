"""The life of an `Auth`: start and close, the configuration check, the purge, page URLs. Not public."""
