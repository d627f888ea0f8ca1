"""Everything that reads a scope or makes a response."""
