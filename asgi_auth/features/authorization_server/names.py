"""The names of clients: how users are shown them, and when one looks like another (RFC 9700, 4.13; UTS #39)."""

import re
import unicodedata

from asgi_auth.features.authorization_server.look_alikes import LOOK_ALIKES

#: The longest name, and the most marks on one letter without its accents: more are a pile that covers other lines.
MAX_NAME, MAX_MARKS = 60, 3
#: The quotation marks of the texts in which a name is shown; letters and marks that no one sees.
QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f\u301d\u301e\u301f')
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
#: Small letters that look alike: the capital i is a small l.
ONE_OF_TWO = str.maketrans("i", "l")
#: Pairs of small letters that look like one.
PAIRS = (("rn", "m"), ("vv", "w"))


def plain_name(name: str) -> str:
    """Return a name as users are shown it: one line that is seen whole and ends no quotation, cut to 60."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKD", name))
    # Characters without a width and of direction are dropped, the others become spaces.
    kept = (each for each in text if unicodedata.category(each) != "Cf")
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" or each in QUOTES else each for each in kept)
    composed = unicodedata.normalize("NFC", _with_few_marks(shown))
    return " ".join(composed.split())[:MAX_NAME].strip()


def looks_of(name: str) -> str:
    """Return what names that look alike have in common: no accents, spaces and signs, and one of letters that do."""
    decomposed = unicodedata.normalize("NFKD", plain_name(name))
    # Twice: small letters of Cherokee become capitals, and those of Greek look like other letters than their capitals.
    plain = decomposed.translate(LOOK_ALIKES).casefold().translate(LOOK_ALIKES)
    text = "".join(each for each in plain if each.isalnum()) or plain
    for pair, one in PAIRS:
        text = text.replace(pair, one)
    return text.translate(ONE_OF_TWO)


def _with_few_marks(text: str) -> str:
    """Return a text without marks that enclose letters, that stand on no letter, or of which one has too many."""
    found, marks = [], MAX_MARKS
    for each in text:
        kind = unicodedata.category(each)
        if kind[0] == "M":
            marks += 1
        else:
            marks = MAX_MARKS if each == " " else 0
        if kind != "Me" and (marks <= MAX_MARKS or kind[0] != "M"):
            found.append(each)
    return "".join(found)
