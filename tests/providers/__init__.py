"""Tests of the fake providers of the testing kit, and logins at real ones."""
