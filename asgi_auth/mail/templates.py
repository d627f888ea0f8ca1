"""Makes mails of letters: texts from the catalogue, put into Jinja2 templates, of which a host may replace any."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgi_auth.mail.message import Letter, Mail
from asgi_auth.texts import Texts, placeholders, purposes, shipped

if TYPE_CHECKING:
    from jinja2 import Environment

UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Templates:
    """The templates `mail.txt` and `mail.html` serve for all mails.

    A `folder` of the host may hold the same names, or `mail/verify_email.html` for one purpose; `asgi_auth/mail.html`
    is ours. Raises ValueError when the folder isn't there, or a mail can't be made from what is in it.
    """

    def __init__(self, texts: Texts, name: str, folder: str | None = None) -> None:
        """Take the catalogue, the name of the service, and the host's folder."""
        if folder is not None and not Path(folder).is_dir():
            raise ValueError(f"there is no folder {folder!r} for templates")
        self._texts = texts
        self._name = name
        self._folder = folder
        if folder is not None:
            self._try_all()

    def _try_all(self) -> None:
        """Make every mail once: a mistake in a template must not cost the first real one."""
        for purpose in purposes():
            named = placeholders("".join(shipped()["en"][f"mail.{purpose}.{part}"] for part in ("subject", "body")))
            values = dict.fromkeys(named, "x")
            for link in ("", "https://example.com/?token=x"):
                letter = Letter(purpose=purpose, to="x", link=link, token="x", code="x", seconds=60, values=values)
                try:
                    self.render(letter)
                except Exception as error:
                    raise ValueError(f"the templates in {self._folder!r} make no mail {purpose}: {error}") from error

    def render(self, letter: Letter) -> Mail:
        """Make the mail. Raises KeyError for a purpose or a value that the catalogue doesn't know."""
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
        """Everything that a template may name."""
        own = {
            part: self._texts.find(f"mail.{letter.purpose}.{part}", language, **values)
            for part in ("action", "not_you")
        }
        common = {
            part: self._texts.get(f"mail.common.{part}", language, **values)
            for part in ("code_label", "link_label", "not_you", "footer")
        }
        return {
            **common,
            "action": own["action"] or "",
            "not_you": own["not_you"] or common["not_you"],
            "subject": self._texts.get(f"mail.{letter.purpose}.subject", language, **values),
            "body": self._texts.get(f"mail.{letter.purpose}.body", language, **values),
            "expiry": self._expiry(letter, language),
            "language": language,
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
        """Say how long the link and the code work, in the largest unit that fits."""
        if not letter.seconds or not (letter.link or letter.code):
            return ""
        size, unit = next(item for item in UNITS if letter.seconds % item[0] == 0)
        count = letter.seconds // size
        time = self._texts.get(f"mail.common.{unit}{'' if count == 1 else 's'}", language, count=count)
        return self._texts.get("mail.common.expiry", language, time=time)

    def _fill(self, purpose: str, kind: str, context: Mapping[str, Any]) -> str:
        return self._environment.select_template([f"mail/{purpose}.{kind}", f"mail.{kind}"]).render(context)

    @cached_property
    def _environment(self) -> "Environment":
        import jinja2  # noqa: PLC0415 (wanted with the first mail)

        folders = [jinja2.FileSystemLoader(self._folder)] if self._folder else []
        ours = jinja2.PackageLoader("asgi_auth.mail")
        return jinja2.Environment(
            loader=jinja2.ChoiceLoader([*folders, ours, jinja2.PrefixLoader({"asgi_auth": ours})]),
            autoescape=jinja2.select_autoescape(disabled_extensions=["txt"], default=True),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def _line(value: str) -> str:
    """Put a value on one line, without signs that aren't printed: it must not look like more than a value."""
    return "".join(sign for sign in " ".join(value.split()) if sign.isprintable())
