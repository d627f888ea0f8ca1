"""Checks the parts that a host hands over: a mistake is named here, and not by an attribute that is missing later."""

from collections.abc import Sequence

from asgi_auth.feature.base import BaseFeature


def check_parts(storage: object, features: object) -> None:
    """Raise TypeError for a storage that is neither a URL nor an object of its kind, and for no list of features."""
    if not isinstance(storage, str) and not hasattr(storage, "transaction"):
        raise TypeError(
            f"the storage is a URL such as 'sqlite:///auth.db', or a storage object, and not {shown(storage)}: "
            "write str(…) around a URL or path of another type, and look whether its variable is set"
        )
    if features is None:
        return
    if not isinstance(features, Sequence) or isinstance(features, str):
        raise TypeError(
            f"features is a list of feature objects, such as [*defaults(mail=False)], and not {shown(features)}"
        )
    for feature in features:
        if isinstance(feature, type) and issubclass(feature, BaseFeature):
            raise TypeError(
                f"features has the class {feature.__name__}: write {feature.__name__}(…), which makes an object"
            )
        if not isinstance(feature, BaseFeature):
            raise TypeError(f"features has {shown(feature)}, which is no feature")


def shown(value: object) -> str:
    """Return what a message says of a value: its type, since the value may be secret."""
    return "None" if value is None else f"an object of the type {type(value).__name__}"
