"""Imports of users from files and from databases of other systems, and exports."""

from asgi_auth.importing.calls import import_users
from asgi_auth.importing.databases import import_database
from asgi_auth.importing.export import export_users
from asgi_auth.importing.files import FileError
from asgi_auth.importing.report import ImportReport, ImportStoppedError, Refusal

__all__ = [
    "FileError",
    "ImportReport",
    "ImportStoppedError",
    "Refusal",
    "export_users",
    "import_database",
    "import_users",
]
