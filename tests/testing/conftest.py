"""The tests of a user's app run in a pytest of their own."""

collect_ignore = ["stranger"]
