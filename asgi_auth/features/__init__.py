"""The features: one class in one file each; they never import each other."""
