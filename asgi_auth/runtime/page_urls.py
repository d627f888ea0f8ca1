"""The public URLs of the pages, for the links of mails. A page that is not served has no URL."""

from collections.abc import Collection, Mapping

from asgi_auth.settings import Settings
from asgi_auth.validation.targets import is_allowed


class PageUrls:
    """The URLs of the pages of an `Auth`: `auth.page_urls`. Apps and middlewares register the paths that they serve.

    A process that serves no app, such as a worker that only sends mails, uses the paths that the features declare,
    below `Settings.mount`.
    """

    def __init__(self, settings: Settings, *, pages: bool, redirects_to: Collection[str] = ()) -> None:
        """Take the settings. `pages` is whether the `Auth` has pages; `redirects_to` are the allowed URLs elsewhere."""
        self._settings = settings
        self._redirects_to = redirects_to
        self._pages = pages
        self._paths: dict[str, str] | None = None
        self._mount: str | None = None
        self._is_announced = False

    def announce(self) -> None:
        """Let no app be mounted elsewhere than at `Settings.mount`: other programs are told its URL, and compare it."""
        self._is_announced = True

    def serve(self, paths: Mapping[str, str]) -> None:
        """Register the pages of an app, as a mapping from declared paths to served paths.

        If two apps serve a page and one of them has renamed it, the renamed path is used. Raises ValueError when two
        apps have renamed a page differently.
        """
        known = self._paths = self._paths or {}
        for declared, path in paths.items():
            if known.get(declared, declared) not in {declared, path} and path != declared:
                raise ValueError(
                    f"{declared} is served at {known[declared]} and at {path}: mails can link to one path only"
                )
            if path != declared or declared not in known:
                known[declared] = path

    def mount(self, mount: str) -> None:
        """Register the path where the routes are mounted.

        Raises ValueError when `Settings.mount` or an earlier call set another path, with `Settings.base_url`: without
        it, no mails link to the routes. The default of `Settings.mount` counts when it is announced.
        """
        if self._settings.base_url is None:
            self._mount = mount
            return
        for other in {self._settings.mount, self._mount or mount} - {mount}:
            if other != Settings.mount or self._mount == other or self._is_announced:
                raise ValueError(
                    f"the routes are mounted at {mount}, but links lead to {other}: use one mount, and set "
                    "Settings.mount to it; a path prefix that a proxy removes belongs in base_url"
                )
        self._mount = mount

    def allows(self, target: str) -> bool:
        """Tell whether a redirect may lead to a target of a request: a path of this site, or an allowed URL."""
        return is_allowed(target, self._redirects_to)

    def below_mount(self, path: str) -> str:
        """Return the path of the site for a path below the mount."""
        return f"{self._mount or self._settings.mount}{path}"

    def url(self, declared: str) -> str:
        """Return the public URL of a page by its declared path, or an empty string when the page is not served."""
        path = declared if self._paths is None else self._paths.get(declared)
        if self._settings.base_url is None or not self._pages or path is None:
            return ""
        return f"{self._settings.base_url.rstrip('/')}{self.below_mount(path)}"
