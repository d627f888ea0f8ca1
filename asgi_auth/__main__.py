"""Commands: `python -m asgi_auth`, the same as `asgi-auth`."""

from asgi_auth.command.main import main

if __name__ == "__main__":
    raise SystemExit(main())
