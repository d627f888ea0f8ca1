"""The extra fields of a user, as an administrator sets them."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from asgi_auth.errors import ValidationError
from asgi_auth.sources.kinds import check_kind
from asgi_auth.validation.reasons import Reason
from asgi_auth.validation.user_field import Field


def checked_data(fields: Sequence[Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """Check values of extra fields against their declaration.

    Raises ValidationError, and ValueError where `data` is no mapping of names to values.
    """
    check_kind("data", data, Mapping[str, Any])
    declared = {item.name: item for item in fields}
    errors: dict[str, list[Reason]] = {name: [Reason("unknown")] for name in data.keys() - declared.keys()}
    values: dict[str, Any] = {}
    for name in [name for name in data if name in declared]:
        one = declared[name]
        try:
            values[name] = None if data[name] is None and not one.required else one.convert(data[name])
        except msgspec.ValidationError as error:
            errors[name] = [Reason.of(error)]
    if errors:
        raise ValidationError(errors)
    return values


def complete_data(fields: Sequence[Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """Check the extra fields of a new user, and add the defaults of the others.

    Raises ValidationError also where a field is missing that registration requires.
    """
    values = {item.name: deepcopy(item.default) for item in fields} | checked_data(fields, data)
    missing = [item.name for item in fields if item.required and item.write != "admin" and values[item.name] is None]
    if missing:
        raise ValidationError({name: [Reason("missing")] for name in missing})
    return values
