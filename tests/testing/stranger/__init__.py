"""An app of a user of the library, with its tests."""
