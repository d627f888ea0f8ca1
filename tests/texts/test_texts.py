"""The catalogue of texts: complete in every shipped language, replaceable by hosts, chosen as the browser asks."""

import pytest

from asgi_auth.texts import Texts, about, direction, placeholders, plural_forms, shipped
from asgi_auth.texts.languages import category
from tests.texts.digests import english, languages, old, texts_of


def test_the_complete_languages_have_the_same_texts_and_all_have_the_same_values() -> None:
    english = shipped()["en"]

    assert set(shipped()) == {"en", "de", "fr", "es", "pt", "pl", "ja"}
    for language, texts in shipped().items():
        assert texts.keys() <= english.keys(), language
        # Those that a person has signed lack nothing; the documentation says how much the others lack.
        assert not about(language)["signed_by"] or texts.keys() == english.keys(), language
        assert len(texts) > 0.9 * len(english), language
        for code, text in texts.items():
            assert placeholders(text) == placeholders(english[code]), (language, code)
            assert bool(text) == bool(english[code]), (language, code)


@pytest.mark.parametrize("language", sorted(set(languages()) - {"en"}))
def test_translations_are_of_the_present_english_texts(language: str) -> None:
    """`tests/texts/digests.py` says what to do with an old one."""
    texts = english()

    assert old(texts, language) == []
    assert {each.code for each in texts_of(language)} >= shipped()[language].keys()
    changed = {"pages.show": "Let me see", "pages.login.title": "Welcome", "reason.too_long": "Less than {count}."}
    assert set(old(texts | changed, language)) == changed.keys()


def test_the_languages_of_a_machine_are_marked() -> None:
    signed = {language for language in shipped() if about(language)["signed_by"]}

    assert signed == {"en", "de"}
    assert about("ja")["name"] == "日本語"


def test_plural_forms_are_those_of_known_texts_and_right() -> None:
    english = shipped()["en"]
    for language in shipped():
        for form, text in plural_forms(language).items():
            code, _, name = form.rpartition(".")
            assert name in {"one", "few", "many", "two", "zero"}
            assert placeholders(text) == placeholders(english[code]) == {"count"}, (language, form)

    texts = Texts()
    polish = {count: texts.get("reason.too_long", "pl", count=count) for count in (1, 2, 5, 12, 22, 64, 100, 103)}
    assert {count: text.split()[-1] for count, text in polish.items()} == {
        1: "znaku.", 2: "znaki.", 5: "znaków.", 12: "znaków.", 22: "znaki.", 64: "znaki.", 100: "znaków.", 103: "znaki."
    }  # fmt: skip
    assert texts.get("reason.too_many_items", "en", count=1) == "Use 1 item at most."
    assert texts.get("reason.too_many_items", "en", count="2") == "Use 2 items at most."
    assert texts.get("reason.too_long", "fr", count=0) == "Utilisez 0 caractère au plus."
    assert texts.get("reason.too_long", "ja", count=1) == "1文字以下にしてください。"
    # The text of a host has one form, unless it is that of the library.
    assert Texts(overrides={"en": {"reason.too_long": "{count}!"}}).get("reason.too_long", "en", count=1) == "1!"


@pytest.mark.parametrize(("language", "counts"), [
    ("ru", "many one few few few many many"), ("ar", "zero one two few few few many"),
    ("cs", "other one few few few other other"), ("de-AT", "other one other other other other other"),
    ("ko", "other other other other other other other"),
])  # fmt: skip
def test_categories_of_numbers(language: str, counts: str) -> None:
    assert [category(language, count) for count in (0, 1, 2, 3, 4, 5, 11)] == counts.split()


def test_languages_from_right_to_left() -> None:
    assert [direction(language) for language in ("he", "ar-EG", "FA", "en", "ja", "arn")] == [
        "rtl", "rtl", "rtl", "ltr", "ltr", "ltr",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("nl, de;q=0.1", "de"),
        ("nl", "en"),
        ("fr-CA, en;q=0.8", "fr"),
        ("ja", "ja"),
        ("de;q=0, en", "en"),
        ("de;q=x, ;;;, *", "en"),
        ("de; q=0.9, en; q=0.8", "de"),
        ("en ;q=0.1, de ;q=0.9", "de"),
        ("de;Q=1", "de"),
        ("DE", "de"),
        ("en;q=0, *", "de"),
        ("en;q=0, de;q=0, *", "es"),
        ("en;q=0, *;q=0", "en"),
        ("nl, *;q=0.5, de;q=0.1", "en"),
        ("de;q=nan", "en"),
        ("de;q=1e9, en;q=0.1", "en"),
        ("x-" * 30000, "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(header: str, language: str) -> None:
    assert Texts().choose(header) == language


def test_a_host_replaces_texts_and_adds_languages() -> None:
    texts = Texts(overrides={"en": {"field.email": "Mail"}, "nl": {"field.email": "E-mailadres"}})

    assert texts.get("field.email", "en") == "Mail"
    assert texts.get("field.email", "nl") == "E-mailadres"
    assert texts.get("field.password", "nl") == "Password"
    assert Texts().get("field.email") == "Email address"
    assert texts.choose("nl") == "nl"


def test_a_whole_tag_goes_before_its_first_part() -> None:
    texts = Texts(overrides={"pt-BR": {"field.email": "E-mail"}, "pt": {"field.email": "Endereço"}})

    assert [texts.choose(tag) for tag in ("pt-BR", "pt-br", "pt", "pt-PT", "pt-BR-x-test", "de, pt-BR;q=0.1")] == [
        "pt-BR", "pt-BR", "pt", "pt", "pt-BR", "de",
    ]  # fmt: skip


def test_a_missing_language_or_text_is_told() -> None:
    assert Texts("de").get("field.password", "nl") == "Passwort"
    assert Texts().find("field.nothing") is None
    with pytest.raises(KeyError):
        Texts().get("field.nothing")
    with pytest.raises(ValueError, match=r"unknown text 'field\.nothing'"):
        Texts(overrides={"en": {"field.nothing": "x"}})
    with pytest.raises(ValueError, match="can only use the placeholders"):
        Texts(overrides={"en": {"field.email": "{password}"}})
    with pytest.raises(ValueError, match="no texts for the language 'xx'"):
        Texts("xx")
