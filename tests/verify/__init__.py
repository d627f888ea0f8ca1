"""Tests of the reader of tokens for other services."""
