"""The password policy: long enough, not guessable, and nothing else unless asked for."""

import gzip
from collections.abc import Callable
from importlib.resources import files

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from asgi_auth import PasswordPolicy
from asgi_auth.errors import PasswordPolicyError
from asgi_auth.validation.password_policy import common_passwords


def reasons(policy: PasswordPolicy, password: str, *words: str) -> list[str]:
    try:
        policy.check(password, user_words=words)
    except PasswordPolicyError as error:
        return error.errors["password"]
    return []


@pytest.mark.parametrize(
    "password", ["tk7fw2qz", "correct horse battery", "        spaces        ", "пароль-из-слов", "x" * 3 + "Y" * 1000]
)
def test_a_long_password_that_no_one_guesses_is_enough(password: str) -> None:
    assert reasons(PasswordPolicy(), password) == []


def test_all_reasons_are_given_at_once() -> None:
    policy = PasswordPolicy(
        min_length=10, require_upper=True, require_lower=True, require_digit=True, require_special=True
    )

    found = reasons(policy, "")

    assert len(found) == 5
    assert found[0] == "Use 10 characters or more."


@pytest.mark.parametrize("password", ["secret", "password", "letmein"])
def test_short_and_common_are_two_reasons(password: str) -> None:
    assert len(reasons(PasswordPolicy(min_length=9), password)) == 2


def test_the_field_is_named_as_the_caller_calls_it() -> None:
    with pytest.raises(PasswordPolicyError) as caught:
        PasswordPolicy().check("short", field="new_password")

    assert caught.value.errors.keys() == {"new_password"}
    assert caught.value.code == "password_validation"


def test_length_counts_code_points_and_the_cap_counts_bytes() -> None:
    emoji = "\U0001f600"

    assert reasons(PasswordPolicy.nist(), emoji * 15) == []
    assert reasons(PasswordPolicy.nist(), emoji * 14) == ["Use 15 characters or more."]
    assert reasons(PasswordPolicy(), "".join(chr(0x1F600 + i % 60) for i in range(256))) == []
    assert reasons(PasswordPolicy(), "".join(chr(0x1F600 + i % 60) for i in range(257))) == ["Use 1024 bytes at most."]


def test_nothing_is_trimmed_cut_or_normalised() -> None:
    assert reasons(PasswordPolicy(), " abcxyz ") == []
    assert reasons(PasswordPolicy(), "o\u0308xqwkvp") == []
    assert reasons(PasswordPolicy(), "\u00f6xqwkvp") == ["Use 8 characters or more."]


def by_rank() -> list[str]:
    """The texts of all lists of zxcvbn that are long enough for a password, the commonest first."""
    ranked = sorted((rank, word) for words in FREQUENCY_LISTS.values() for rank, word in enumerate(words))
    return [word for _, word in ranked if len(word) >= 8]


def test_the_common_list_has_at_least_three_thousand_of_the_least_length() -> None:
    assert sum(len(password) >= 8 for password in common_passwords()) >= 3000


@pytest.mark.parametrize(
    "spelled",
    [
        str,
        str.upper,
        str.capitalize,
        lambda word: f"{word}1",
        lambda word: f"{word}!",
        lambda word: f"{word}123",
        lambda word: f"{word.capitalize()}2024!",
        lambda word: f"{word}..",
        lambda word: f"1{word}",
        lambda word: f"{word}{word}",
        lambda word: word[::-1],
    ],
)
def test_none_of_the_three_thousand_commonest_words_passes_in_capitals_or_with_a_common_ending(
    spelled: Callable[[str], str],
) -> None:
    policy = PasswordPolicy()

    assert [word for word in by_rank()[:3000] if not reasons(policy, spelled(word))] == []


@pytest.mark.parametrize("list_name", sorted(FREQUENCY_LISTS))
def test_each_list_of_words_counts(list_name: str) -> None:
    words = [word for word in FREQUENCY_LISTS[list_name] if len(word) >= 8][:500]

    assert len(words) > 50
    assert [word for word in words if not reasons(PasswordPolicy(), word)] == []


def test_of_the_passwords_that_leaked_most_few_pass() -> None:
    """Django's list was collected by others. What passes is mostly the random text of bots."""
    packed = files("django.contrib.auth").joinpath("common-passwords.txt.gz").read_bytes()
    leaked = [word for word in gzip.decompress(packed).decode().split() if len(word) >= 8][:3000]

    passed = [word for word in leaked if not reasons(PasswordPolicy(), word)]

    assert len(leaked) == 3000
    assert len(passed) < 200


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Tr0ub4dor&3",
        "xqwkvp1!",
        "jennifer went home",
        "jennifer-2483-oak",
        "ab!kd9#w",
        "zebra-quilt",
    ],
)
def test_texts_that_no_list_has_pass(password: str) -> None:
    assert reasons(PasswordPolicy(), password) == []


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PassWord",
        "sunshine",
        "12345678",
        "qwertyuiop",
        "passwordpassword",
        "letmein1letmein1",
        "aaaaaaaa",
        "        ",
        "abcabcabc",
        "qwerqwer",
        "19841984",
        "0987654321",
        "Jennifer",
        "michelle",
        "december",
        "Jennifer1",
        "jennifer!",
        "Summer2024!",
        "1princess",
        "abcdefgh",
        "87654321",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
    ],
)
def test_common_passwords_and_their_repetitions_are_refused(password: str) -> None:
    assert reasons(PasswordPolicy(), password) == ["This password is too common and easy to guess."]
    assert reasons(PasswordPolicy(refuse_common=False), password) == []


@pytest.mark.parametrize(
    "password", ["passwordpassword", "sunshineprincess", "passwordpasswordpassword", "1234567890123456"]
)
def test_the_nist_profile_refuses_common_passwords_put_together(password: str) -> None:
    assert reasons(PasswordPolicy.nist(), password) == ["This password is too common and easy to guess."]


@pytest.mark.parametrize(
    "password",
    ["acmecorp", "AcmeCorp", "AcmeCorp2024!", "1acmecorp", "acmecorpacmecorp", "ada@example.com", "ADA@EXAMPLE.COM"],
)
def test_the_name_of_the_service_and_the_address_are_refused(password: str) -> None:
    policy = PasswordPolicy(context=("acmecorp",))

    assert reasons(policy, password, "ada@example.com", "ada") == [
        "Don't use your address or the name of this service."
    ]


def test_short_words_of_the_context_refuse_nothing() -> None:
    assert reasons(PasswordPolicy(context=("x",)), "xxxxxxxxxyxz", "ada") == []


@pytest.mark.parametrize(
    ("rule", "without", "with_it"),
    [
        ("require_upper", "tk7fw2qz!", "tK7fw2qz!"),
        ("require_lower", "TK7FW2QZ!", "TK7fW2QZ!"),
        ("require_digit", "tkxfwaqz!", "tk7fwaqz!"),
        ("require_special", "tk7fw2qzB", "tk7fw2qz!"),
    ],
)
def test_composition_rules_can_be_had(rule: str, without: str, with_it: str) -> None:
    policy = PasswordPolicy(**{rule: True})  # type: ignore[arg-type]  # only bools here

    assert len(reasons(policy, without)) == 1
    assert reasons(policy, with_it) == []
    assert reasons(PasswordPolicy(), without) == []


@pytest.mark.parametrize("values", [{"min_length": 7}, {"min_length": 65}, {"max_bytes": 63}, {"max_bytes": 4097}])
def test_a_policy_weaker_than_the_standard_allows_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="ASVS"):
        PasswordPolicy(**values)  # type: ignore[arg-type]  # only ints here


def test_a_long_password_is_judged_quickly() -> None:
    assert reasons(PasswordPolicy(max_bytes=4096), "ab" * 2047 + "x") == []
