"""The apps of the contenders, each for its own environment: the same two routes, and the defaults of the library."""
