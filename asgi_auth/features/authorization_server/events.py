"""The events of the authorization server."""

from collections.abc import Mapping
from typing import Final

from asgi_auth.model.event_types import Action

CONSENT: Final = "consent"
CONSENT_WITHDRAW: Final = "consent_withdraw"
CODE_REUSE: Final = "code_reuse"
CLIENT_REFUSED: Final = "client_refused"
ACTIONS: Mapping[str, Action] = {
    CONSENT: Action(
        "A user has let a client in (`app`, `scopes`). Failure: a denial, or a page that was too old.",
        "authz_consent",
        "authz_consent_fail",
    ),
    CONSENT_WITHDRAW: Action(
        "A user has disconnected a client (`app`).", "authz_consent_withdraw", "authz_consent_withdraw_fail"
    ),
    CODE_REUSE: Action("A used authorization code came again; its session was ended.", failure="authn_token_reuse"),
    CLIENT_REFUSED: Action(
        "A client was refused (`reason`): it is not known, or its address, secret, code or refresh token is wrong.",
        failure="authz_fail",
    ),
}
