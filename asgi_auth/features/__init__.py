"""The features: one class in one file each. They never import each other."""
