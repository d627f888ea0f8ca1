"""Renders letters to mails: texts of the catalog in Jinja2 templates. Hosts can replace each template."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgi_auth.mail.message import Letter, Mail
from asgi_auth.model.look import Look
from asgi_auth.process.fork import renew_after_fork
from asgi_auth.texts import Texts, direction, placeholders

if TYPE_CHECKING:
    from jinja2 import Environment

UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
DEFAULT_LOOK = Look(accent="#1d4ed8", text="#ffffff")


class Templates:
    """Renders mails from the templates `mail.txt` and `mail.html`.

    A `folder` of the host can contain templates with the same names, or a template for one purpose, for example
    `mail/verify_email.html`. `{% extends "asgi_auth/mail.html" %}` extends the shipped template. Raises ValueError when
    the folder does not exist, or one of its templates cannot be rendered.
    """

    def __init__(self, texts: Texts, name: str, folder: str | None = None, look: Look | None = None) -> None:
        """Take the text catalog, the name and the look of the service, and the template folder of the host."""
        if folder is not None and not Path(folder).is_dir():
            raise ValueError(f"templates: there is no folder {folder!r}")
        self._texts = texts
        self._name = name
        self._look = look or DEFAULT_LOOK
        self._folder = folder
        self._loaded: Environment | None = None
        renew_after_fork(self)
        if folder is not None:
            self._check_all()

    def _check_all(self) -> None:
        """Render each mail once: a mistake in a template shows at startup, not with the first real mail."""
        for purpose in self._texts.mails:
            parts = (
                self._texts.find_raw(f"mail.{purpose}.{part}") for part in ("subject", "body", "action", "not_you")
            )
            named = placeholders("".join(filter(None, parts)))
            values = dict.fromkeys(named, "x")
            for link in ("", "https://example.com/?token=x"):
                letter = Letter(purpose=purpose, to="x", link=link, token="x", code="x", seconds=60, values=values)
                try:
                    self.render(letter)
                except Exception as error:
                    raise ValueError(
                        f"the templates in {self._folder!r} cannot render the mail {purpose}: {error}"
                    ) from error

    def render(self, letter: Letter) -> Mail:
        """Render a mail. Raises KeyError for an unknown purpose, and for a missing value of a text."""
        values = {name: _line(value) for name, value in letter.values.items()} | {"name": _line(self._name)}
        language = self._texts.resolve(letter.language)
        context = self._context(letter, language, values)
        return Mail(
            purpose=letter.purpose,
            to=letter.to,
            subject=_line(context["subject"]),
            text=self._fill(letter.purpose, "txt", context),
            html=self._fill(letter.purpose, "html", context),
            link=letter.link,
            token=letter.token,
            code=letter.code,
            language=language,
            user_id=letter.user_id,
        )

    def _context(self, letter: Letter, language: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the variables of the templates."""
        specific = {
            part: self._texts.find(f"mail.{letter.purpose}.{part}", language, **values)
            for part in ("action", "not_you")
        }
        common = {
            part: self._texts.get(f"mail.common.{part}", language, **values)
            for part in ("code_label", "link_label", "not_you", "footer")
        }
        return {
            **common,
            "action": specific["action"] or "",
            "not_you": specific["not_you"] or common["not_you"],
            "subject": self._texts.get(f"mail.{letter.purpose}.subject", language, **values),
            "body": self._texts.get(f"mail.{letter.purpose}.body", language, **values),
            "expiry": self._expiry(letter, language),
            "language": language,
            "direction": direction(language),
            "look": self._look,
            "purpose": letter.purpose,
            "to": letter.to,
            "link": letter.link,
            "token": letter.token,
            "code": letter.code,
            "seconds": letter.seconds,
            "name": values["name"],
            "values": values,
        }

    def _expiry(self, letter: Letter, language: str) -> str:
        """Return the sentence about the lifetime of the link and the code, in the largest unit without a fraction."""
        if not letter.seconds or not (letter.link or letter.code):
            return ""
        size, unit = next(item for item in UNITS if letter.seconds % item[0] == 0)
        count = letter.seconds // size
        time = self._texts.get(f"mail.common.{unit}{'' if count == 1 else 's'}", language, count=count)
        return self._texts.get("mail.common.expiry", language, time=time)

    def _fill(self, purpose: str, kind: str, context: Mapping[str, Any]) -> str:
        return self._environment.select_template([f"mail/{purpose}.{kind}", f"mail.{kind}"]).render(context)

    def renew(self) -> None:
        """Load the templates again in a forked child: a thread of the parent may hold a lock of Jinja2."""
        self._loaded = None

    @property
    def _environment(self) -> "Environment":
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> "Environment":
        import jinja2  # noqa: PLC0415 (imported with the first mail)

        folders = [jinja2.FileSystemLoader(self._folder)] if self._folder else []
        shipped_templates = jinja2.PackageLoader("asgi_auth.mail")
        return jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [*folders, shipped_templates, jinja2.PrefixLoader({"asgi_auth": shipped_templates})]
            ),
            autoescape=jinja2.select_autoescape(disabled_extensions=["txt"], default=True),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def _line(value: str) -> str:
    """Return a value as one line of printable characters: a value cannot imitate other lines of the mail."""
    return "".join(character for character in " ".join(value.split()) if character.isprintable())
