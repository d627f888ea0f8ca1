"""What Schemathesis is told: how to log in, the right password, and which of its complaints are none."""

import json
import os
import uuid
from typing import Any, ClassVar

import requests
import schemathesis
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

from asgi_auth.openapi.schemas import NO_NUL
from tests.support import ORIGIN, PASSWORD

URL = os.environ["AUTH_URL"]
#: How requests are logged in: by `bearer`, by `cookie`, or not at all.
LOGIN = os.environ["LOGIN"]
#: Refusals of bodies that are well formed, for reasons that no schema can say.
BEYOND_SCHEMAS = {
    # The list of common passwords, and the user's own address and old password.
    "password_validation",
    # Only who has the mail knows a good token; elsewhere this would be a 401, which Schemathesis takes.
    "invalid_one_time_token",
    "invalid_reset_token",
    "invalid_verification_token",
}
#: After these the session or the password is another.
ENDING = {"/logout", "/logout-all", "/close-account", "/change-password"}


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:  # noqa: ARG001
    """Keep a failure, unless a well-formed body was refused for what a schema can't say."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = json.loads(response.content)
    if problem.get("code") == "validation_error":
        # `format: email` is all that JSON Schema has for addresses; ours are deliverable ones (RFC 5321, IDNA).
        return not problem["errors"].keys() <= {"email", "new_email"}
    # A form in which a name is sent twice is refused (RFC 6749, section 3.2).
    is_doubled = problem.get("error_description") == "The body is not a valid form."
    return problem.get("code") not in BEYOND_SCHEMAS and not is_doubled


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:  # noqa: ARG001
    """Take away the pattern that forbids NUL, which `allow-x00 = false` does three times as fast."""
    for schema in raw_schema["components"]["schemas"].values():
        for item in schema.get("properties", {}).values():
            if item.get("pattern") == NO_NUL:
                del item["pattern"]


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:  # noqa: ARG001
    """Put the right password into half of the well-formed bodies: what asks for it is to succeed, too."""
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    for name in {"password", "current_password"} & case.body.keys():
        if len(str(case.body[name])) % 2:
            case.body = {**case.body, name: PASSWORD}


class Login:
    """Logs requests in as one user, and as a new one when that one's session or password has come to its end."""

    token: ClassVar[str | None] = None

    def get(self, case: Case[Any], context: AuthContext) -> str:  # noqa: ARG002
        if Login.token is None:
            account = {"email": f"{uuid.uuid4()}@example.com", "password": PASSWORD, "company": "Engines"}
            answer = requests.post(f"{URL}/register", json=account, timeout=10)
            Login.token = answer.json()["tokens"]["access_token"]
        return str(Login.token)

    def set(self, case: Case[Any], data: str, context: AuthContext) -> None:  # noqa: ARG002
        if LOGIN == "bearer":
            case.headers["Authorization"] = f"Bearer {data}"
        else:
            case.cookies["__Host-auth"] = data
            case.headers["Origin"] = ORIGIN


if LOGIN:
    schemathesis.auth(refresh_interval=None)(Login)


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:  # noqa: ARG001
    """Take another user where this one can't go on."""
    if response.status_code == 401 or (response.status_code < 300 and case.operation.path in ENDING):
        Login.token = None
