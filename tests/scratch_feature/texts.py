"""The texts of the feature, in two languages."""

TEXTS = {
    "en": {"greeting": "Hello, {name}!", "subject": "Your nickname", "body": "You are now called {name}."},
    "de": {"greeting": "Guten Tag, {name}!", "subject": "Ihr Spitzname", "body": "Sie heißen jetzt {name}."},
}


def text(language: str, code: str, name: str) -> str:
    """Return a text; English for languages that the feature does not have."""
    return TEXTS.get(language, TEXTS["en"])[code].format(name=name)
