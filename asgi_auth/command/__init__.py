"""The command `asgi-auth`, also `python -m asgi_auth`. Not public: only its arguments, output and exit status are.

A subject is a module with a tuple of `Command`; `commands.py` lists all subjects.
"""
