"""Attaches the features to an `Auth`, after which they find each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.errors import SecondFactorRequiredError
from asgi_auth.feature.base import BaseFeature
from asgi_auth.model.event_types import ACTIONS
from asgi_auth.settings import Settings
from asgi_auth.texts import Texts, texts_in
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.fields import INJECTED
from asgi_auth.validation.password_policy import common_passwords
from asgi_auth.validation.user_field import Field


def attach(features: Sequence[BaseFeature], auth: Any) -> None:
    """Attach the features; raises ValueError for one that is listed twice, or lacks another."""
    for number, feature in enumerate(features):
        name = type(feature).__name__
        if any(type(feature) is type(other) for other in features[:number]):
            raise ValueError(
                f"the feature {name} is listed twice; a default belongs in defaults() or in a list of yours, "
                "and defaults(mail=…, passwords=Passwords(…)) takes passwords of yours"
            )
        if "pipeline" in vars(feature):
            raise ValueError(f"this {name} belongs to another Auth; make one for each Auth")
    _check_packages(features)
    for feature in features:
        feature.attach(auth)
    for feature in features:
        for kind in feature.needs:
            if auth.get(kind) is None:
                raise ValueError(f"{type(feature).__name__} needs a {kind.__name__}")
    _check_names(features)
    _check_second_step(features)
    _check_callers(features)
    _check_permissions(features)
    _check_account_names(features)
    _check_fields(features, auth.settings.fields)
    _check_added_fields(features, auth.settings.fields)
    known = {endpoint.name for feature in features for endpoint in feature.endpoints}
    if unknown := {name for feature in features for name in feature.needs_endpoints} - known:
        raise ValueError(f"there is no endpoint {', '.join(sorted(unknown))}")


def texts_of(settings: Settings, features: Sequence[BaseFeature]) -> Texts:
    """Make the catalog: the texts of the library, of features and of the host. Raises ValueError."""
    mails = {purpose for feature in features for purpose in feature.mails}
    codes = [code for item in settings.fields for code in _codes_of(item)]
    rooms = dict.fromkeys(room for feature in features for room in feature.rooms())
    added = [*(feature.texts for feature in features), *map(texts_in, rooms)]
    return Texts(settings.language, settings.texts, codes, added=added, mails=mails)


def _codes_of(field: Field) -> list[str]:
    """Return the codes of the texts of an extra field: its label, its hint, and its choices."""
    choices = [f"choice.{field.name}.{choice}" for choice in field.shape.choices]
    return [f"field.{field.name}", f"pages.hint.{field.name}", *choices]


def with_fields_of(features: Sequence[BaseFeature], settings: Settings) -> Settings:
    """Return the settings with the extra fields that the features declare. Raises ValueError for a name that is taken.

    The settings of another `Auth` with the same features have them already.
    """
    declared = [field for feature in features for field in feature.user_fields if field not in settings.fields]
    return replace(settings, fields=[*settings.fields, *declared]) if declared else settings


def check_verification(auth: Any) -> None:
    """Check the setting `verification` with the features that use it. Raises ValueError."""
    verification = auth.settings.verification
    if verification == "required" and auth.get(RegistrationService) is None:
        raise ValueError("verification needs the feature EmailVerification")
    if verification == "off" and auth.conceals:
        raise ValueError(
            "without verification, registration reveals whether an address has an account: "
            "also set enumeration='tell', or remove EmailVerification"
        )


def load_validators(auth: Any) -> None:
    """Import what the first registration needs: that takes 0.1 s, and no request should wait for it."""
    if any("email" in endpoint.fields for feature in auth.features for endpoint in feature.endpoints):
        canonical_or_none("ada@bücher.example.com")
    if auth.get(PasswordService) is not None:
        common_passwords()


def _check_names(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError when two features offer the same name: the later one would replace the other silently."""
    offers: dict[str, Callable[[BaseFeature], Iterable[str]]] = {
        "grant": lambda feature: feature.grants,
        "action": lambda feature: feature.actions,
        "endpoint": lambda feature: [endpoint.name for endpoint in feature.endpoints],
        "security scheme": lambda feature: feature.schemes,
        "service": lambda feature: {type(service).__name__ for service in feature.services},
    }
    for kind, names in offers.items():
        offered: dict[str, str] = dict.fromkeys(ACTIONS, "the library") if kind == "action" else {}
        for feature in features:
            owner = type(feature).__name__
            for name in names(feature):
                if offered.setdefault(name, owner) != owner:
                    raise ValueError(f"{offered[name]} and {owner} offer the same {kind}: {name!r}")


def _check_second_step(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError for pages without the one where a login shows its second factor: such users could not log in."""
    served = {page.name for feature in features for page in feature.pages}
    for owner in (type(feature).__name__ for feature in features if feature.shows_pages):
        for feature in features:
            has_kind = any(not factor.is_backup for factor in feature.factor_kinds.values())
            if (has_kind or feature.overrides("second_factor")) and SecondFactorRequiredError.page not in served:
                raise ValueError(
                    f"{owner} and {type(feature).__name__} need SecondFactors(): "
                    "it serves the page for the second step of a login"
                )


def _check_packages(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError for a package that a feature needs and that is not installed. Nothing is imported."""
    for feature in features:
        check_packages(type(feature).__name__, feature.requires)


def check_packages(owner: str, packages: Mapping[str, str]) -> None:
    """Raise ValueError for a package that `owner` needs and that is not installed. Nothing is imported.

    `packages` maps each package to the extra of this library that installs it.
    """
    for package, extra in packages.items():
        if find_spec(package.partition(".")[0]) is None:
            raise ValueError(f"{owner} needs {package}: pip install 'asgi-auth[{extra}]'")


def _check_added_fields(features: Sequence[BaseFeature], fields: Sequence[Field]) -> None:
    """Raise ValueError when a feature adds a field to an endpoint that has one of that name."""
    for endpoint in [endpoint for feature in features for endpoint in feature.endpoints]:
        taken = dict.fromkeys((*endpoint.all_fields(fields), *INJECTED), "the endpoint")
        for feature in features:
            owner = type(feature).__name__
            for name in feature.fields_at(endpoint):
                if (other := taken.setdefault(name, owner)) != owner:
                    raise ValueError(f"{owner} adds the field {name} to {endpoint.name}, and {other} has it already")


def _check_callers(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError for an endpoint that demands something of a caller that it does not know."""
    for endpoint in [endpoint for feature in features for endpoint in feature.endpoints]:
        demands = {
            "fresh": endpoint.fresh,
            "second_factor": endpoint.second_factor,
            "permission": endpoint.permission,
            "keys": endpoint.keys,
        }
        found = [name for name, demanded in demands.items() if demanded]
        if endpoint.any_origin and "identity" in endpoint.injected:
            raise ValueError(f"the endpoint {endpoint.name} has any_origin, so it knows no caller: drop `identity`")
        if found and "identity" not in endpoint.injected:
            raise ValueError(f"the endpoint {endpoint.name} has {', '.join(found)}, and no parameter `identity`")


def _check_permissions(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError for an endpoint with a permission that its feature does not declare: `*` would not give it."""
    for feature in features:
        for endpoint in feature.endpoints:
            if endpoint.permission is not None and endpoint.permission not in feature.permissions:
                raise ValueError(
                    f"the endpoint {endpoint.name} needs {endpoint.permission}, "
                    f"which is not in the permissions of {type(feature).__name__}"
                )


def _check_account_names(features: Sequence[BaseFeature]) -> None:
    """Raise ValueError for an endpoint that lacks the field in its option `names`, or has another name's field."""
    others = {feature.names_by for feature in features if feature.names_by}
    for endpoint in [endpoint for feature in features for endpoint in feature.endpoints if endpoint.names]:
        if endpoint.names not in endpoint.fields:
            raise ValueError(
                f"the endpoint {endpoint.name} names an account by {endpoint.names}, which is no field of it"
            )
        if clashing := (others - {endpoint.names}) & endpoint.fields.keys():
            raise ValueError(f"the endpoint {endpoint.name} has a field of its own: {', '.join(sorted(clashing))}")


def _check_fields(features: Sequence[BaseFeature], fields: Sequence[Field]) -> None:
    """Raise ValueError when an extra field has the name of a field of an endpoint that takes extra fields."""
    for feature in features:
        for endpoint in feature.endpoints:
            if endpoint.takes_data and (taken := endpoint.fields.keys() & {item.name for item in fields}):
                raise ValueError(
                    f"the endpoint {endpoint.name} has fields of its own: {', '.join(sorted(taken))}; rename yours"
                )
