"""Makes `auth101.sql`: a database of auth101, by its own code; README.md says what must be installed."""

import sqlite3
import sys
import tempfile
from pathlib import Path

from auth101 import Auth101
from auth101.adapters import SQLAlchemyAdapter

PASSWORD = "correct horse battery"


def main(path: Path) -> None:
    """Sign users up, through the endpoints of its FastAPI router."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    auth = Auth101(secret="x" * 40, database=SQLAlchemyAdapter(f"sqlite:///{path}"))
    app = FastAPI()
    app.include_router(auth.fastapi_router(), prefix="/auth")
    client = TestClient(app)
    for email in ("ada@example.com", "Bob@Example.com"):
        client.post("/auth/sign-up/email", json={"email": email, "password": PASSWORD}).raise_for_status()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder) / "users.db")
        with sqlite3.connect(Path(folder) / "users.db") as made:
            sys.stdout.write("\n".join(made.iterdump()) + "\n")
