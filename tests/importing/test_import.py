"""Imports of files in the library's own format: what is made, what is refused, and what is said about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_auth import Field
from asgi_auth.accounts.password_hashes import SENTENCES
from asgi_auth.errors import ValidationError
from asgi_auth.importing import FileError, ImportReport, Refusal, import_users
from asgi_auth.importing.prepare import parse_address
from asgi_auth.model.records import NO_USER_ID, Event
from asgi_auth.validation.email_address import PLAIN, Address, parse_email
from tests.importing.users import HASHED, OTHER_UUID, UUID, importing, lines, users_of
from tests.support import PASSWORD, Clock, login, make_auth


async def test_a_record_becomes_a_user_who_logs_in_with_the_old_password(tmp_path: Path) -> None:
    record = {
        "id": UUID,
        "email": "Ada@Example.com",
        "email_verified": True,
        "roles": ["editor", "editor"],
        "data": {"name": "Ada"},
        "created_at": "2020-02-29T12:00:00Z",
        "password_hash": HASHED,
    }
    async with importing(fields=[Field("name"), Field("city")], clock=Clock()) as auth:
        report = await import_users(auth, lines(tmp_path, [record]))

        assert (report.made, report.read, report.line) == (1, 1, 1)
        [user] = await users_of(auth)
        assert (user.id, user.email, user.email_canonical) == (UUID, "Ada@example.com", "ada@example.com")
        assert (user.email_verified, user.status, user.roles) == (True, "active", ("editor",))
        assert (user.data, user.created_at, user.updated_at) == (
            {"name": "Ada", "city": None},
            1582977600,
            1_800_000_000,
        )
        await login(auth, "ada@example.com")


async def test_what_a_record_does_not_say_has_the_safe_value() -> None:
    async with importing() as auth:
        await import_users(auth, [{"email": "ada@example.com"}])

        [user] = await users_of(auth)
        assert (user.email_verified, user.roles, user.data, user.status) == (False, (), {}, "active")
        assert await auth.storage.credentials(user.id) == []


async def test_a_plain_password_is_hashed_and_has_to_fit_the_policy(tmp_path: Path) -> None:
    records = [
        {"email": "ada@example.com", "password": PASSWORD},
        {"email": "bob@example.com", "password": "short"},
    ]
    async with importing() as auth:
        report = await import_users(auth, lines(tmp_path, records))

        assert report.refusals == [Refusal(2, "password: against the policy for new passwords")]
        await login(auth)


SECRET = "s3cr3t-value"
WRONG_ROLES = "roles: not the roles of a user, or longer than a token can hold"
UNKNOWN_HASH, EXPENSIVE_HASH = SENTENCES["unknown"], SENTENCES["expensive"]


def with_credential(**changes: Any) -> dict[str, Any]:
    """A record with one credential."""
    return {"email": "a@example.com", "credentials": [{"kind": "totp", "identifier": "x"} | changes]}


REFUSED: list[tuple[Any, str]] = [
    ("{", "the line is not JSON"),
    ("[" * 100_000, "the line is not JSON"),
    ('["a"]', "the line is not a JSON object"),
    ({"id": UUID}, "the record has no address"),
    ({"email": None}, "the record has no address"),
    ({"email": SECRET}, "email: not a valid address"),
    ({"email": 17}, "email: Expected `str`, got `int`"),
    ({"email": "a@example.com", "id": SECRET}, "id: not an id of the users table; see new_ids"),
    ({"email": "a@example.com", "id": NO_USER_ID}, "id: not an id of the users table; see new_ids"),
    ({"email": "a@example.com", "id": 17}, "id: not an id of the users table; see new_ids"),
    ({"email": "a@example.com", "id": True}, "id: Expected `str | null`, got `bool`"),
    ({"email": "a@example.com", "status": SECRET}, "status: not active, disabled or closed"),
    ({"email": "a@example.com", "status": []}, "status: not active, disabled or closed"),
    ({"email": "a@example.com", "email_verified": SECRET}, "email_verified: neither true nor false"),
    ({"email": "a@example.com", "roles": [17]}, "roles[0]: Expected `str`, got `int`"),
    ({"email": "a@example.com", "roles": ["x" * 3000]}, WRONG_ROLES),
    ({"email": "a@example.com", "data": {"unknown": SECRET}}, "data: a field that the settings do not declare"),
    ({"email": "a@example.com", "data": {"age": SECRET}}, "data: age is not a valid value"),
    ({"email": "a@example.com", "data": SECRET}, "data: not JSON"),
    ({"email": "a@example.com", "created_at": SECRET}, "created_at: not a time"),
    ({"email": "a@example.com", "created_at": -1}, "created_at: not a time"),
    ({"email": "a@example.com", "created_at": 1e300}, "created_at: not a time"),
    ({"email": "a@example.com", "updated_at": True}, "updated_at: not a time"),
    ({"email": "a@example.com", "more": SECRET}, "unknown member more"),
    ({"email": "a@example.com", SECRET + "`": 1}, "unknown member"),
    ({"email": "a@example.com", "password_hash": SECRET}, UNKNOWN_HASH),
    ({"email": "a@example.com", "password_hash": "$2b$31$" + "." * 53}, EXPENSIVE_HASH),
    ({"email": "a@example.com", "password_hash": "$argon2id$v=19$"}, "the hash is damaged"),
    ({"email": "a@example.com", "password_hash": HASHED, "password": "x"}, "the record has more than one password"),
    ({"email": "a@example.com", "data": {"name": "\0"}}, "the record has characters that are not allowed"),
    ({"email": "a@example.com", "data": {"name": "\ud800"}}, "the record has characters that are not allowed"),
    (with_credential(kind="A B"), "credentials: not the kind and identifier of a credential"),
    (with_credential(identifier=""), "credentials: not the kind and identifier of a credential"),
    (with_credential(identifier=None), "credentials[0].identifier: Expected `str`, got `null`"),
    (with_credential(version=0), "credentials: not the secret and version of a credential"),
    (with_credential(sealed=SECRET), "credentials: the sealed secret is damaged"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "reason"), REFUSED)
async def test_a_refused_line_has_its_number_and_reason_and_never_the_value(
    tmp_path: Path, record: Any, reason: str
) -> None:
    fields = [Field("name"), Field("age", int)]
    seen: list[Refusal] = []
    async with importing(fields=fields) as auth:
        source = lines(tmp_path, [{"email": "first@example.com"}, record, {"email": "last@example.com"}])
        report = await import_users(auth, source, refused=seen.append)

    assert (report.made, report.refused) == (2, 1)
    assert report.refusals == seen == [Refusal(2, reason)]
    assert SECRET not in str(report)


async def test_a_foreign_hash_is_refused_where_no_login_would_verify_it() -> None:
    async with make_auth() as auth:
        report = await import_users(auth, [{"email": "a@example.com", "password_hash": HASHED}])

    assert report.refusals == [Refusal(1, "the hash is one of another system: Passwords(import_hashes=True) takes it")]


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(tmp_path: Path) -> None:
    records = [
        {"email": "ada@example.com", "password": PASSWORD},
        {"email": "new@example.com", "password": PASSWORD},
        {"email": "broken"},
    ]
    async with importing() as auth:
        await import_users(auth, [{"email": "ada@example.com"}])
        report = await import_users(auth, lines(tmp_path, records), dry_run=True)

        assert (report.made, report.skipped, report.refused) == (1, 1, 1)
        assert len(await users_of(auth)) == 1


async def test_new_ids_take_the_place_of_ids_that_do_not_fit() -> None:
    async with importing() as auth:
        await import_users(auth, [{"id": "auth0|17", "email": "a@example.com", "password_hash": HASHED}], new_ids=True)

        [user] = await users_of(auth)
        assert auth.storage.is_user_id(user.id)
        await login(auth, "a@example.com")


async def test_from_a_line_on_and_in_batches_with_a_report_after_each(tmp_path: Path) -> None:
    source = lines(tmp_path, [{"email": f"user{number}@example.com"} for number in range(1, 1203)])
    seen: list[int] = []
    async with importing() as auth:
        report = await import_users(auth, source, from_line=101, progress=lambda done: seen.append(done.made))

        assert (report.made, report.line, seen) == (1102, 1202, [500, 1000, 1102])
        assert min(user.email for user in await users_of(auth)) == "user1000@example.com"


async def test_an_import_is_one_event() -> None:
    events: list[Event] = []
    async with importing() as auth:
        auth.on("*")(events.append)
        await import_users(auth, [{"email": "a@example.com"}, {"email": "b@example.com"}])

    assert [(event.name, event.data) for event in events] == [("users_import", {"made": 2, "updated": 0})]


async def test_the_first_thousand_refusals_are_kept_and_all_are_told() -> None:
    seen: list[Refusal] = []
    async with importing() as auth:
        report = await import_users(auth, [{"email": "x"} for _ in range(1500)], refused=seen.append)

    assert (report.refused, len(report.refusals), len(seen)) == (1500, 1000, 1500)


@pytest.mark.parametrize("options", [{"format": "excel"}, {"on_conflict": "merge"}, {"firebase": "rounds: 8"}])
async def test_an_unknown_option_is_an_error(options: dict[str, Any]) -> None:
    async with importing() as auth:
        with pytest.raises(ValueError, match=r"formats|lack"):
            await import_users(auth, [], **options)


async def test_two_files_name_what_is_wrong_with_them(tmp_path: Path) -> None:
    async with importing() as auth:
        with pytest.raises(FileError, match=r"\.jsonl, \.ndjson, \.csv, \.json"):
            await import_users(auth, lines(tmp_path, [], "users.xlsx"))
        with pytest.raises(FileNotFoundError):
            await import_users(auth, tmp_path / "missing.jsonl")
        assert await import_users(auth, lines(tmp_path, [])) == ImportReport()


async def test_ids_that_differ_are_two_users_and_one_address_is_one() -> None:
    async with importing() as auth:
        first = {"id": UUID, "email": "a@example.com"}
        report = await import_users(auth, [first, first, {"id": OTHER_UUID, "email": "A@EXAMPLE.com"}])

        assert (report.made, report.skipped) == (1, 2)


@given(st.from_regex(PLAIN, fullmatch=True) | st.emails(), st.booleans())
@settings(max_examples=200, deadline=None, database=None)
def test_an_address_of_a_file_is_validated_as_that_of_a_registration(text: str, public: bool) -> None:  # noqa: FBT001
    def outcome(parse: Callable[..., Address]) -> Address | str:
        try:
            return parse(text, public=public)
        except ValidationError:
            return "refused"

    assert outcome(parse_address) == outcome(parse_email)
