"""What type checkers report to users: `python -m tests.types` runs both gates."""
