"""Where the public finds our pages: the links of mails lead there, and never to a place that isn't served."""

from collections.abc import Mapping

from asgi_auth.settings import Settings


class PageUrls:
    """The pages of an `Auth`: `auth.page_urls`. Apps and middlewares say where they serve them.

    Until one does, as in a process that only mails, they are where their features declare them, below
    `Settings.mount`.
    """

    def __init__(self, settings: Settings, *, pages: bool) -> None:
        """Take where the public finds the service, and whether there are pages at all."""
        self._settings = settings
        self._there = pages
        self._paths: dict[str, str] | None = None
        self._mount: str | None = None

    def serve(self, paths: Mapping[str, str]) -> None:
        """Take the pages of an app: the path that a feature declares, and where it is. A renamed one goes first.

        Raises ValueError for a page that two apps have renamed differently.
        """
        known = self._paths = self._paths or {}
        for declared, path in paths.items():
            if known.get(declared, declared) not in {declared, path} and path != declared:
                raise ValueError(f"{declared} is served at {known[declared]} and at {path}: mails can't link to both")
            if path != declared or declared not in known:
                known[declared] = path

    def mount(self, mount: str) -> None:
        """Take where the routes are mounted; without a `base_url` nothing depends on it.

        Raises ValueError when `Settings.mount`, or an earlier call, says something else.
        """
        if self._settings.base_url is None:
            return
        for other in {self._settings.mount, self._mount or mount} - {mount}:
            if other != Settings.mount or self._mount == other:
                raise ValueError(
                    f"the routes are mounted at {mount}, and links lead to {other}: make Settings.mount the same; "
                    "a path that a proxy takes away belongs into base_url"
                )
        self._mount = mount

    def url(self, declared: str) -> str:
        """The address of a page; empty when nobody could find it there."""
        path = declared if self._paths is None else self._paths.get(declared)
        if self._settings.base_url is None or not self._there or path is None:
            return ""
        return f"{self._settings.base_url.rstrip('/')}{self._mount or self._settings.mount}{path}"
