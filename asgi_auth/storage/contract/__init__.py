"""The parts of the contract `Storage`, by subject."""
