"""Random input against everything that reads bytes from outside."""
