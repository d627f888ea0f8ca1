"""The names of clients: how users are shown them, and when one looks like another (RFC 9700, 4.13; UTS #39)."""

import re
import unicodedata

#: The longest name, and the most marks on one letter: more are a pile that covers other lines.
MAX_NAME, MAX_MARKS = 60, 3
#: The quotation marks of the texts in which a name is shown; letters and marks that no one sees; and marks in a pile.
QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f\u301d\u301e\u301f')
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
STACKED = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")
#: Letters of Cyrillic, Greek and other alphabets, and digits, with the Latin letters that they look like.
LOOK_ALIKES = str.maketrans(
    # Cyrillic capitals, then small letters.
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u04c0"
    "\u0430\u0435\u0455\u0456\u0458\u043a\u043e\u0440\u0441\u0443\u0445\u0501\u04bb\u051b\u051d\u04cf"
    # Greek capitals, then small letters.
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0131\u0251\u0261" + "01|",
    "abesijkmhopctyxlaesijkopcyxdhqwlabezhikmnoptyxaikvoptuxiagol" + "l",
)
#: Small letters that look alike: the capital i is a small l.
ONE_OF_TWO = str.maketrans("i", "l")


def plain_name(name: str) -> str:
    """Return a name as users are shown it: one line that is seen whole and ends no quotation, cut to 60."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKC", name))
    # Characters without a width and of direction are dropped, the others become spaces.
    kept = (each for each in text if unicodedata.category(each) != "Cf")
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" or each in QUOTES else each for each in kept)
    return " ".join(_with_few_marks(STACKED.sub(r"\1", shown)).split())[:MAX_NAME].strip()


def looks_of(name: str) -> str:
    """Return what names that look alike have in common: no accents, spaces and signs, and one of letters that do."""
    plain = unicodedata.normalize("NFKD", plain_name(name)).translate(LOOK_ALIKES).casefold().translate(ONE_OF_TWO)
    return "".join(each for each in plain if each.isalnum()) or plain


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
