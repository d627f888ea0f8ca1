"""The pages of administration: the list of users, a page for each user, and their forms."""

from collections.abc import Sequence
from typing import ClassVar

from asgi_auth.feature import Form, Page, Section
from asgi_auth.features.admin.base import AdminBase

#: The pages, by name: the list, the page of a user, its events, and the form for a new user.
LIST, USER, EVENTS, NEW = "admin", "admin_user", "admin_events", "create_user"


class AdminPages(AdminBase):
    """What administrators see in a browser."""

    banners: ClassVar[Sequence[str]] = ("impersonation",)
    pages: ClassVar[Sequence[Page]] = (
        Page(
            name=LIST,
            endpoint="users",
            path="/admin",
            login=True,
            loads=True,
            focus=False,
            query=("search", "status", "role", "after"),
        ),
        Page(name=NEW, endpoint="create_user", path="/admin/users/new", login=True, links=(LIST,)),
        Page(name=USER, endpoint="user", path="/admin/users/{id}", login=True, loads=True, focus=False),
        Page(
            name=EVENTS,
            endpoint="user_events",
            path="/admin/users/{id}/events",
            login=True,
            loads=True,
            focus=False,
            query=("name", "since", "until", "before"),
        ),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(
            endpoint="create_user",
            page=NEW,
            after=USER,
            said="admin_created",
            values={"email": "", "invite": "on"},
            attributes={"email": {"autocomplete": "off"}},
        ),
        Form(
            endpoint="update_user",
            page=USER,
            after=USER,
            said="admin_saved",
            filled=True,
            # A new address is not confirmed because a box is checked that was checked for the old one.
            leaves_out=("email_verified",),
            attributes={"email": {"autocomplete": "off"}},
        ),
        Form(endpoint="invite_user", page=USER, after=USER, said="admin_invited"),
        Form(endpoint="set_user_roles", page=USER, after=USER, said="admin_roles_set", filled=True),
        Form(endpoint="disable_user", page=USER, after=USER, said="admin_disabled"),
        Form(endpoint="enable_user", page=USER, after=USER, said="admin_enabled"),
        Form(endpoint="end_user_session", page=USER, after=USER, said="admin_session_ended"),
        Form(endpoint="end_user_sessions", page=USER, after=USER, said="admin_sessions_ended"),
        Form(endpoint="reset_user_password", page=USER, after=USER, said="admin_password_reset"),
        Form(endpoint="delete_user_factors", page=USER, after=USER, said="admin_factors_removed"),
        Form(endpoint="impersonate", page=USER, hidden=("refresh_token",)),
        Form(
            endpoint="stop_impersonating",
            page="account",
            after="login",
            said="stopped_impersonating",
            hidden=("parked",),
        ),
        Form(endpoint="delete_user", page=USER, after=LIST, said="admin_deleted"),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="admin", endpoint="users", order=85, group="administration"),
        Section(name="admin_overview", page=LIST, endpoint="users_overview", order=10, loads=True),
        Section(name="admin_profile", page=USER, endpoint="user", order=10),
        Section(name="admin_invite", page=USER, endpoint="invite_user", order=12),
        Section(name="admin_edit", page=USER, endpoint="update_user", order=15),
        Section(name="admin_roles", page=USER, endpoint="set_user_roles", order=20),
        Section(name="admin_disable", page=USER, endpoint="disable_user", order=30),
        Section(name="admin_sessions", page=USER, endpoint="user_sessions", order=40, loads=True),
        Section(name="admin_reset", page=USER, endpoint="reset_user_password", order=50),
        Section(name="admin_impersonate", page=USER, endpoint="impersonate", order=60),
        Section(name="admin_events", page=USER, endpoint="user_events", order=80, loads=True),
        Section(name="admin_delete", page=USER, endpoint="delete_user", order=90),
    )
