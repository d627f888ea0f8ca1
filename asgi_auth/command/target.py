"""What a command works on: the `Auth` of an app, or one of the environment."""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from asgi_auth.auth import Auth
from asgi_auth.command.refusals import WrongUseError
from asgi_auth.feature.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.settings import Settings
from asgi_auth.sources.environment import text_of
from asgi_auth.storage import Storage, from_url

APP, DATABASE_URL = "AUTH_APP", "AUTH_DATABASE_URL"
#: The name of the `Auth` in a module that is given without a name.
DEFAULT_NAME = "auth"


class Target:
    """Finds an `Auth` by `--app` or AUTH_APP; without either, makes one of AUTH_DATABASE_URL and the settings."""

    def __init__(self, app: str | None, environ: Mapping[str, str]) -> None:
        """Take the import path of an app, such as `app:auth`, and the environment."""
        self._environ = {name: text.strip() for name, text in environ.items() if text.strip()}
        self.app: str | None = app or self._environ.get(APP)

    def load(self) -> None:
        """Make the `Auth` now. Raises WrongUseError."""
        _ = self.auth

    @cached_property
    def auth(self) -> Auth:
        """The `Auth`. Raises WrongUseError for an app that cannot be imported, and for settings that are not valid."""
        if self.app is not None:
            return imported(self.app)
        features = [*defaults(mail=True), *_of_extras()]
        try:
            return Auth(self.storage, settings=self.settings, features=features)
        except ValueError as error:
            raise WrongUseError(str(error)) from error

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises WrongUseError."""
        if self.app is not None:
            return self.auth.settings
        try:
            return Settings.load(environ=self._environ)
        except ValueError as error:
            raise WrongUseError(str(error)) from error

    @cached_property
    def storage(self) -> Storage:
        """The storage; without an app, it needs no settings. Raises WrongUseError."""
        if self.app is not None:
            return self.auth.storage
        try:
            return from_url(self.url)
        except (ValueError, ImportError) as error:
            raise WrongUseError(str(error)) from error

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each setting that is not the default comes from. Raises WrongUseError."""
        if self.app is None:
            return Settings.origins(self._environ)
        plain = Settings(secret=self.settings.secrets)
        return {
            item.name: self.app
            for item in fields(Settings)
            if item.name == "secret" or getattr(self.settings, item.name) != getattr(plain, item.name)
        }

    @property
    def database(self) -> str:
        """The database, without a password. Raises WrongUseError."""
        path = getattr(self.storage, "path", None)
        if path is not None or self.app is not None:
            return type(self.storage).__name__ + (f" {path}" if path is not None else "")
        scheme, _, rest = self.url.partition("?")[0].partition("://")
        user, at, host = rest.rpartition("@")
        return f"{scheme}://{user.partition(':')[0]}{at}{host}"

    @property
    def url(self) -> str:
        """The URL of the database in the environment. Raises WrongUseError."""
        try:
            for url in text_of(DATABASE_URL, self._environ):
                return url
        except ValueError as error:
            raise WrongUseError(str(error)) from error
        raise WrongUseError(f"name your app by --app module:name or {APP}, or set {DATABASE_URL}")


def imported(path: str) -> Auth:
    """Import an `Auth`, or that of an `AuthApp` or `AuthMiddleware`. Raises WrongUseError."""
    module, _, name = path.partition(":")
    if (folder := str(Path.cwd())) not in sys.path:
        # A script on the path of programs does not see the working directory, as `python -m` does.
        sys.path.insert(0, folder)
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise WrongUseError(f"{module} cannot be imported: {error}") from error
        raise WrongUseError(f"there is no module {module!r} in {folder} or on the path of Python") from error
    except (Exception, SystemExit) as error:
        raise WrongUseError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    for part in (name or DEFAULT_NAME).split("."):
        found = getattr(found, part, None)
    auth = found if isinstance(found, Auth) else getattr(found, "auth", None)
    if not isinstance(auth, Auth):
        raise WrongUseError(f"{module}:{name or DEFAULT_NAME} is not an Auth, AuthApp or AuthMiddleware")
    return auth


def _of_extras() -> list[Feature]:
    """Return the features of the library with rows of their own, as far as their packages are installed."""
    if find_spec("cryptography") is None or find_spec("segno") is None:
        return []
    from asgi_auth.features.totp import Totp  # noqa: PLC0415 (only with its packages)

    return [Totp()]
