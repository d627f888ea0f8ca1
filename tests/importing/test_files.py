"""Files: lines, CSV and documents are read in bounded memory, and what is broken is named by its place."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Field
from asgi_auth.importing import FileError, Refusal, import_users
from asgi_auth.importing.files import CHUNK, MAX_LINE, Entry, UserFile
from tests.importing.users import importing, lines, users_of

LONG = '{"email": "%s@example.com"}' % ("x" * MAX_LINE)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def read(file: Path) -> list[Entry]:
    return list(UserFile(file).entries())


def records(file: Path) -> list[Any]:
    return [entry.record for entry in read(file)]


def test_lines_of_json_are_numbered_and_empty_ones_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, "users.ndjson", '\ufeff{"email": "a"}\r\n\n  \n{"email": "b"}')

    assert [(entry.number, entry.record) for entry in read(file)] == [(1, {"email": "a"}), (4, {"email": "b"})]


@pytest.mark.parametrize("name", ["users.jsonl", "users.csv"])
def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(tmp_path: Path, name: str) -> None:
    good = '{"email": "a"}' if name.endswith("jsonl") else "a"
    header = "" if name.endswith("jsonl") else "email\n"
    file = written(tmp_path, name, f"{header}{good}\n{LONG}{LONG}{LONG}\n{good}\n")

    assert [(entry.record, entry.problem) for entry in read(file)] == [
        ({"email": "a"}, ""),
        (None, "the line is longer than 1 MiB"),
        ({"email": "a"}, ""),
    ]


def test_a_line_of_exactly_one_mebibyte_is_read(tmp_path: Path) -> None:
    line = json.dumps({"email": "x"})
    file = written(tmp_path, "users.jsonl", line[:-1] + " " * (MAX_LINE - len(line) - 1) + "}\n")

    assert records(file) == [{"email": "x"}]


def test_rows_of_csv_have_the_names_of_the_first_line(tmp_path: Path) -> None:
    content = (
        'email,roles,data,email_verified\na@example.com,"x y","{""name"": ""A,\nB""}",t\n"b@example.com",,,\n1,2\n'
    )
    file = written(tmp_path, "users.csv", content)

    assert read(file) == [
        Entry(3, 33, {"email": "a@example.com", "roles": "x y", "data": '{"name": "A,\nB"}', "email_verified": "t"}),
        Entry(4, 13, {"email": "b@example.com"}),
        Entry(5, 2, None, "the line has 2 values, and the first line has 4 names"),
    ]


async def test_users_of_csv_are_imported(tmp_path: Path) -> None:
    content = 'email,roles,data,email_verified,created_at\na@example.com,x y,"{""name"": ""A""}",true,2020-01-01\n'
    async with importing(fields=[Field("name")]) as auth:
        report = await import_users(auth, written(tmp_path, "users.CSV", content))

        assert report.made == 1
        [user] = await users_of(auth)
        assert (user.roles, user.data, user.email_verified, user.created_at) == (
            ("x", "y"),
            {"name": "A"},
            True,
            1577836800,
        )


def test_a_quote_that_never_ends_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "users.csv", 'email\n"a\n' + "b\n" * 100_000)

    assert next(entry.problem for entry in read(file)) == "the line is not CSV"


async def test_bytes_that_are_not_utf_8_refuse_their_line_only(tmp_path: Path) -> None:
    async with importing() as auth:
        for name, header in (("users.jsonl", b""), ("users.csv", b"email\n")):
            line = b'{"email": "\xff@example.com"}\n' if not header else b"\xff@example.com\n"
            report = await import_users(auth, written(tmp_path, name, header + line))
            assert (report.made, report.refused) == (0, 1)


DOCUMENTS = [
    '[{"email": "a"}, {"email": "b"}]',
    '\ufeff {"kind": {"deep": [1, "]"]}, "count": 17, "users": [\n{"email": "a"},\n{"email": "b"}\n], "more": 1}',
    '{"users": [{"email": "a"} , {"email": "b"}]',
]


@pytest.mark.parametrize("content", DOCUMENTS)
@pytest.mark.parametrize("padding", [0, CHUNK - 20, CHUNK - 1, CHUNK])
def test_a_document_is_read_record_by_record(tmp_path: Path, content: str, padding: int) -> None:
    file = written(tmp_path, "users.json", content.replace("[", "[" + " " * padding, 1))

    assert [(entry.number, entry.record) for entry in read(file)] == [(1, {"email": "a"}), (2, {"email": "b"})]


@pytest.mark.parametrize("size", [CHUNK - 3, CHUNK, 3 * CHUNK + 1])
def test_a_record_may_be_longer_than_what_is_read_at_once(tmp_path: Path, size: int) -> None:
    record = {"email": "ä" * size}
    file = written(tmp_path, "users.json", json.dumps([record, record], ensure_ascii=False))

    assert records(file) == [record, record]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a JSON document"),
        ("17", "not a JSON document"),
        ('{"clients": []}', "no list of users"),
        ('{"users": {}}', "no list of users"),
        ("{17: 1}", "no list of users"),
        ('[{"email": "a"} {"email": "b"}]', "record 1: the file is not JSON"),
        ('[{"email": "a"}, {"email":]', "record 2: the file is not JSON"),
        ('[{"email": "a"}, {"email": "' + "x" * (MAX_LINE + CHUNK) + '"}]', "record 2 is not JSON, or longer"),
        ("[" * 100_000, "record 1"),
        (b'[{"email": "\xff"}]', "not UTF-8"),
        ('[{"email": "a"}', "record 1: the file is not JSON"),
    ],
)
def test_a_broken_document_is_an_error_with_its_place(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read(written(tmp_path, "users.json", content))


def test_what_is_not_an_object_in_a_document_is_refused(tmp_path: Path) -> None:
    assert [entry.problem for entry in read(written(tmp_path, "users.json", "[17, null]"))] == [
        "the record is not a JSON object",
        "the record is not a JSON object",
    ]


@pytest.mark.parametrize("name", ["users.jsonl", "users.csv", "users.json"])
def test_the_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    line = {"users.jsonl": '{"email": "a"}\n', "users.csv": "a\n", "users.json": '{"email": "a"},\n'}[name]
    start, end = ("[", '{"email": "a"}]') if name.endswith("json") else ("email\n" if name.endswith("csv") else "", "")

    def peak(count: int) -> int:
        file = written(tmp_path, name, start + line * count + end)
        tracemalloc.start()
        assert sum(1 for _ in UserFile(file).entries()) >= count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1000)
    assert peak(50_000) < 2 * peak(20_000) < 2_000_000


async def test_a_document_of_users_is_imported_by_number(tmp_path: Path) -> None:
    file = written(tmp_path, "users.json", '[{"email": "a@example.com"}, {"email": "b"}, {"email": "c@example.com"}]')
    async with importing() as auth:
        report = await import_users(auth, file, from_line=2)

    assert (report.made, report.line, report.refusals) == (1, 3, [Refusal(2, "email: not a valid address")])


async def test_a_batch_ends_with_its_size_as_well(tmp_path: Path) -> None:
    seen: list[int] = []
    async with importing(fields=[Field("text", max_length=2**20)]) as auth:
        records = [{"email": f"user{number}@example.com", "data": {"text": "x" * 1_000_000}} for number in range(9)]
        await import_users(auth, lines(tmp_path, records), progress=lambda report: seen.append(report.made))

    assert seen == [5, 9]


@pytest.mark.parametrize("name", ["users.jsonl", "users.csv", "users.json"])
async def test_the_progress_is_the_part_of_the_file_that_was_read(tmp_path: Path, name: str) -> None:
    records = [json.dumps({"email": f"u{number:04}@example.com"}) for number in range(1200)]
    contents = {"users.jsonl": "\n".join(records), "users.json": f"[{','.join(records)}]"}
    contents["users.csv"] = "email\n" + "".join(f"u{number:04}@example.com\n" for number in range(1200))
    file = written(tmp_path, name, contents[name])
    parts: list[float | None] = []

    async with importing() as auth:
        await import_users(auth, file, dry_run=True, progress=lambda report: parts.append(report.part))
        assert parts[-1] == 1.0
        assert parts == sorted(parts, key=float)  # type: ignore[arg-type]  # no None among them
        assert len(parts) == 3
        if name != "users.json":
            # A document is read in pieces that are larger than this one.
            assert [round(part or 0, 1) for part in parts] == [0.4, 0.8, 1.0]
        await import_users(auth, [{}], progress=lambda report: parts.append(report.part))
        assert parts[-1] is None


async def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = '{"email": "a@example.com", "email": "b@example.com"}'
    deep = '{"email": "c@example.com", "data": {"a": 1, "a": 2}}'
    file = written(tmp_path, "users.jsonl", f'{twice}\n{deep}\n{{"email": "d@example.com"}}\n')
    table = written(tmp_path, "users.csv", "email,id,email\na@example.com,1,b@example.com\n")
    document = written(tmp_path, "users.json", f'{{"users": [{{"email": "d@example.com"}}, {twice}]}}')

    async with importing() as auth:
        report = await import_users(auth, file)
        assert report.refusals == [Refusal(number, "a member stands twice") for number in (1, 2)]
        assert [user.email for user in await users_of(auth)] == ["d@example.com"]
        with pytest.raises(FileError, match=r"^the first line has the same name in the columns 1 and 3$"):
            await import_users(auth, table)
        with pytest.raises(FileError, match=r"^record 2: a member stands twice$"):
            await import_users(auth, document)
        assert await auth.users.count() == 1
