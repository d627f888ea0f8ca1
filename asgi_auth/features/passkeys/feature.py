"""Passkeys: login without a password, by what a device or a password manager holds (WebAuthn Level 3)."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from asgi_auth.feature import Action, Form, Page, Section, User
from asgi_auth.features.passkeys.base import CLONE
from asgi_auth.features.passkeys.credentials import KIND
from asgi_auth.features.passkeys.logging_in import LoggingIn
from asgi_auth.features.passkeys.managing import Managing
from asgi_auth.features.passkeys.signing_up import SigningUp
from asgi_auth.model import event_types as events
from asgi_auth.model.event_types import Noticed
from asgi_auth.storage import Storage


class Passkeys(SigningUp, Managing, LoggingIn):
    """Lets users log in with passkeys in place of a password, and finish logins with one.

    A passkey proves possession of a device, and a PIN or a finger beside it: such a login counts as two factors. With
    `sign_up`, visitors register with a passkey in place of a password. With
    `second_factor`, a user with a passkey needs it, or another second factor, after a password as well. `rp_id` is the
    domain that passkeys belong to, by default the `cookie_domain`, else the host of `base_url`: a passkey cannot move
    to another one. A user has `most` passkeys. `android_origins` are those of apps for Android, such as
    `android:apk-key-hash:` and the digest of the certificate that signs the app. Needs the extra `passkeys`.
    """

    requires: Mapping[str, str] = {"webauthn": "passkeys"}
    scripts: ClassVar[Sequence[str]] = ("passkeys.js",)
    scripts_call: ClassVar[bool] = True
    pages: ClassVar[Sequence[Page]] = (
        Page(
            name="add_passkey",
            endpoint="passkey_options",
            path="/passkeys/new",
            login=True,
            carries="pending",
            links=("account",),
            linked_from=("totp",),
        ),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(
            endpoint="passkey_login",
            page="login",
            bare_on=("login",),
            credential=KIND,
            also=("second_factor",),
            by_script=("credential",),
            hidden=("pending",),
        ),
        Form(endpoint="reauthenticate_by_passkey", page="reauthenticate", by_script=("credential",), credential=KIND),
        Form(endpoint="passkey_options", page="add_passkey", hidden=("pending",)),
        Form(
            endpoint="add_passkey",
            page="add_passkey",
            after="account",
            said="passkey_added",
            by_script=("credential",),
            hidden=("pending",),
        ),
        Form(
            endpoint="passkey_sign_up",
            page="register",
            after="login",
            said="registered",
            waits="verify_email",
            by_script=("request", "credential"),
            shares=True,
        ),
        Form(endpoint="rename_passkey", page="account", after="account", said="passkey_renamed"),
        Form(endpoint="delete_passkey", page="account", after="account", said="passkey_removed"),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="passkeys", endpoint="passkeys", order=32, loads=True, group="ways"),
    )
    reauthenticates: ClassVar[Mapping[str, str]] = {KIND: "passkey"}
    mails: ClassVar[tuple[str, ...]] = ("passkey_added", "passkey_removed")
    notices: ClassVar[Mapping[Noticed, str]] = {
        (events.FACTOR_ADD, "success", KIND): "passkey_added",
        (events.FACTOR_REMOVE, "success", KIND): "passkey_removed",
    }
    actions: ClassVar[Mapping[str, Action]] = {
        CLONE: Action(
            "A passkey was refused: its counter did not go up, so there may be a copy (`credential`).",
            failure="authn_passkey_clone",
        )
    }

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:
        """Name the passkeys, if the user has any."""
        return ("passkey",) if await storage.credential(user.id, KIND) is not None else ()
