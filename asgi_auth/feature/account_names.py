"""Other names of an account than its address, such as a username: features resolve them before an endpoint runs.

From there on, the call has the address. So limits, lockouts and known clients count an account once, however a caller
names it, and no endpoint knows of other names.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypeAlias

import msgspec

from asgi_auth._typed_text import without_margins
from asgi_auth.errors import ValidationError
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.validation.fields import BodyField
from asgi_auth.validation.reasons import Reason

#: A name of an account, or its address.
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=254, examples=["ada"])]


class Naming(Protocol):
    """The part of a feature that gives accounts other names."""

    @property
    def names_by(self) -> str:
        """The field that has the other name; empty for features without one."""

    async def address_of(self, name: str) -> str:
        """Return the address of an account by its other name."""


class AccountNames:
    """The fields by which callers can name an account, at endpoints with the option `names`."""

    def __init__(self, features: Sequence[Naming]) -> None:
        """Take the features."""
        self._features = {feature.names_by: feature for feature in features if feature.names_by}

    def others_at(self, endpoint: Endpoint) -> list[str]:
        """Return the fields of an endpoint that name an account in place of its own field, sorted."""
        return sorted(self._features.keys() - {endpoint.names}) if endpoint.names else []

    def fields_at(self, endpoint: Endpoint) -> dict[str, BodyField]:
        """Return these fields with that of the endpoint itself: one of them is required, and each may be missing."""
        others = self.others_at(endpoint)
        if not others:
            return {}
        own = BodyField(endpoint.fields[endpoint.names].type, required=False)
        return {endpoint.names: own, **{name: BodyField(Name, required=False) for name in others}}

    def alternatives_at(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Return the alternatives of the body in JSON Schema; none where an account has one name."""
        others = self.others_at(endpoint)
        return [{"required": [name]} for name in (endpoint.names, *others)] if others else []

    async def resolved(self, endpoint: Endpoint, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the values of a call with the address of the account in the endpoint's own field.

        The second value is the name that the caller gave, if it was another one. Raises ValidationError unless exactly
        one field names the account.
        """
        others = self.others_at(endpoint)
        given = [name for name in (endpoint.names, *others) if name in values]
        if others and len(given) != 1:
            reason = Reason("one_name", names=", ".join(given)) if given else Reason("missing")
            raise ValidationError({name: [reason] for name in given or [endpoint.names]})
        left: dict[str, Any] = {name: value for name, value in values.items() if name not in others}
        field = given[0] if given else ""
        name = str(values.get(field) or "")
        if not name:
            return left, ""
        feature = self._features.get(field)
        address = name if feature is None else await feature.address_of(name)
        other = "" if address == name else f"{field} {without_margins(name).casefold()}"
        return left | {endpoint.names: address}, other
