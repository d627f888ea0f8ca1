"""Plain data: records, event types, and device names. Not public."""
