"""The catalogue of texts: complete in every shipped language, replaceable by hosts, chosen as the browser asks."""

import pytest

from asgi_auth.texts import Texts, placeholders, shipped


def test_every_language_has_the_same_texts_with_the_same_values() -> None:
    english = shipped()["en"]

    assert set(shipped()) >= {"en", "de"}
    for texts in shipped().values():
        assert texts.keys() == english.keys()
        assert {code: placeholders(text) for code, text in texts.items()} == {
            code: placeholders(text) for code, text in english.items()
        }


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("fr, de;q=0.1", "de"),
        ("fr", "en"),
        ("de;q=0, en", "en"),
        ("de;q=x, ;;;, *", "en"),
        ("de; q=0.9, en; q=0.8", "de"),
        ("en ;q=0.1, de ;q=0.9", "de"),
        ("de;Q=1", "de"),
        ("DE", "de"),
        ("en;q=0, *", "de"),
        ("en;q=0, de;q=0, *", "en"),
        ("fr, *;q=0.5, de;q=0.1", "en"),
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
    assert Texts("de").get("field.password", "fr") == "Passwort"
    assert Texts().find("field.nothing") is None
    with pytest.raises(KeyError):
        Texts().get("field.nothing")
    with pytest.raises(ValueError, match=r"unknown text 'field\.nothing'"):
        Texts(overrides={"en": {"field.nothing": "x"}})
    with pytest.raises(ValueError, match="can only use the placeholders"):
        Texts(overrides={"en": {"field.email": "{password}"}})
    with pytest.raises(ValueError, match="no texts for the language 'xx'"):
        Texts("xx")
