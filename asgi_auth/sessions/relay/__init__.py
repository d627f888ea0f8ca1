"""Many processes of one host share the looks of one of them at revocations. Not public."""
