"""Letters that look like Latin ones (UTS #39), after compatibility forms such as mathematical letters are decomposed.

They are those of Cyrillic, Greek, Armenian, Cherokee, Coptic and Lisu, small capitals, letters with strokes, digits.
"""

#: Each Latin letter with the characters that look like it.
ALIKE = {
    "a": "\u0410\u0430\u0391\u03b1\u0251\u1d00\u13aa\ua4ee\u2c80\u2c81",
    "b": "\u0412\u0432\u0392\u042c\u044c\u0299\u0180\u042a\u13cf\u13fc\ua4d0\u2c82\u2c83\u0185",
    "c": "\u0421\u0441\u03c2\u1d04\u13df\ua4da\u2ca4\u2ca5",
    "d": "\u0501\u1d05\u0111\u13a0\u13e7\ua4d3\ua4d2",
    "e": "\u03a3\u0415\u0435\u0395\u03b5\u04bd\u0454\u1d07\u13ac\ua4f0\u04bc\u212e",
    "f": "\ua730\u0192\u0584\ua4dd\u03dc",
    "g": "\u0261\u0262\u0581\u050c\u13c0\ua4d6",
    "h": "\u041d\u043d\u0397\u04bb\u029c\u0127\u0570\u13bb\u13c2\ua4e7\u2c8e\u2c8f\u04ba",
    "i": "\u0406\u0456\u0399\u03b9\u0131\u026a\u0269\u13a5\ua4f2\u2c92\u2c93\u04cf\u04c0",
    "j": "\u0408\u0458\u1d0a\u0237\u0575\u03f3\u13ab\ua4d9",
    "k": "\u041a\u043a\u039a\u03ba\u1d0b\u13e6\ua4d7\u2c94\u2c95",
    "l": "\u0142\u029f\ua7ae\u13de\ua4e1\u01c001|\u053c",
    "m": "\u041c\u043c\u039c\u1d0d\u13b7\ua4df\u2c98\u2c99",
    "n": "\u039d\u043f\u03b7\u0578\u057c\u0274\u019e\ua4e0\u2c9a\u2c9b",
    "o": (
        "\u041e\u043e\u039f\u03bf\u03c3\u1d0f\u1d11\u0585\u0555\u00f8\ua4f3\u2c9e\u2c9f0\u0966\u0c66\u0ce6"
        "\u0d66\u0e50\u0ed0\u1040\u05e1"
    ),
    "p": "\u0420\u0440\u03a1\u03c1\u1d18\u13e2\ua4d1\u2ca2\u2ca3\u01a5",
    "q": "\u051b\u0566",
    "r": "\u0433\u0280\u13a1\u13d2\ua4e3",
    "s": "\u0405\u0455\ua731\u13da\u13d5\ua4e2\u054f",
    "t": "\u0422\u0442\u03a4\u03c4\u1d1b\u0167\u13a2\ua4d4\u2ca6\u2ca7",
    "u": "\u03c5\u1d1c\u057d\u054d\u028b\ua4f4",
    "v": "\u03bd\u0475\u1d20\u13d9\ua4e6\u0474",
    "w": "\u051d\u0461\u1d21\u0561\u13b3\u13d4\ua4ea\u03c9\u051c",
    "x": "\u0425\u0445\u03a7\u03c7\ua4eb\u2cac\u2cad",
    "y": "\u0423\u0443\u03a5\u03b3\u028f\u04af\u13a9\u13bd\ua4ec\u2ca8\u2ca9\u04ae",
    "z": "\u0396\u1d22\u13c3\ua4dc\u2c8c",
}
#: The first of 26 letters in circles, in squares and of flags, which have no decomposition.
ENCLOSED = (0x1F150, 0x1F170, 0x1F1E6)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: For `str.translate`.
LOOK_ALIKES = {ord(alike): letter for letter, alikes in ALIKE.items() for alike in alikes}
LOOK_ALIKES |= {first + number: letter for first in ENCLOSED for number, letter in enumerate(LETTERS)}
