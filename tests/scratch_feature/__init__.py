"""A feature as an author outside of the library writes it, from docs/extending alone: all of it is in this folder."""

from tests.scratch_feature.feature import Nicknames, NicknameTakenError, WrongKeyError

__all__ = ["NicknameTakenError", "Nicknames", "WrongKeyError"]
