"""Counting attempts: the rules, and where they are counted."""
