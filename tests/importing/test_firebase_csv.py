"""The CSV of `firebase auth:export`: values without a line that names them."""

from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Field
from asgi_auth.importing import Refusal, import_users
from asgi_auth.storage import Names, from_url
from tests.importing.test_formats import OLD, PARAMETERS, of_firebase
from tests.importing.users import importing, users_of
from tests.support import login


def csv_of_firebase(user: dict[str, Any], *, length: int = 28) -> str:
    """A line of the CSV of `firebase auth:export`: without names, and with a comma at its end."""
    places = {"localId": 0, "email": 1, "emailVerified": 2, "passwordHash": 3, "salt": 4, "displayName": 5}
    places |= {"createdAt": 23, "lastLoginAt": 24, "phoneNumber": 25, "disabled": 26, "customAttributes": 27}
    cells = [""] * length
    for name, place in places.items():
        value = user.get(name)
        if value is not None and place < length:
            text = value if isinstance(value, str) else str(value).lower()
            cells[place] = text.replace("-", "+").replace("_", "/") if name == "passwordHash" else text
    if user.get("customAttributes") and length > 27:
        cells[27] = '"' + cells[27].replace('"', '""') + '"'
    return ",".join(cells) + ",\n"


@pytest.mark.parametrize("length", [27, 28])
async def test_the_csv_of_firebase_has_no_line_with_names(tmp_path: Path, length: int) -> None:
    file = tmp_path / "users.csv"
    users = [
        of_firebase(),
        of_firebase(localId="b", email="bob@example.com", displayName='"Bob, B."', disabled=True, emailVerified=False),
        of_firebase(localId="c", email=None),
    ]
    file.write_text("".join(csv_of_firebase(user, length=length) for user in users) + "x" + "," * 29 + "y\n")
    storage = from_url("sqlite://", Names(foreign_ids=True))
    async with importing(fields=[Field("name")], storage=storage) as auth:
        report = await import_users(auth, file, format="firebase", roles={"manager": "admin"}, firebase=PARAMETERS)

        ada, bob = sorted(await users_of(auth), key=lambda user: user.email)
        roles = ("admin",) if length == 28 else ()
        assert (ada.id, ada.email_verified, ada.created_at, ada.roles) == ("kP3fVc8XWAa1", True, 1577836800, roles)
        assert (bob.id, bob.email_verified, bob.status, bob.data) == ("b", False, "disabled", {"name": "Bob, B."})
        await login(auth, password=OLD)
    assert report.refusals == [
        Refusal(3, "the record has no address"),
        Refusal(4, "the line has 30 values, and the first line has 28 names"),
    ]


async def test_a_csv_of_firebase_may_name_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("email,localId,disabled\nada@example.com,x,true\n")
    async with importing() as auth:
        await import_users(auth, file, format="firebase", new_ids=True)

        assert [(user.email, user.status) for user in await users_of(auth)] == [("ada@example.com", "disabled")]
