"""The authorization server and its clients."""
