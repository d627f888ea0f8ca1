"""Thin glue for single hosts: the same verbs in each."""
