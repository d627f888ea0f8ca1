"""Databases of other systems, and what made them."""
