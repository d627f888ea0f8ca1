"""Defences of roles and permissions."""

from tests.security.defence import Defence

MAP = "sessions/test_permissions.py::"
ENDPOINT = "feature/test_permissions.py::"
PERMISSIONS = [
    Defence(
        "permission: a group has only the names below it",
        "validation/permissions.py",
        "name.startswith(grant[:-1]))",
        "name.startswith(grant[:-2]))",
        "validation/test_permissions.py::test_a_group_has_the_names_below_it_and_no_others",
    ),
    Defence(
        "permission: no role has the name of one",
        "sessions/permissions.py",
        "if clashing := self.declared & self._grants.keys():",
        "if clashing := frozenset[str]():",
        MAP + "test_a_permission_with_the_name_of_a_role_is_refused",
    ),
    Defence(
        "permission: a role that is not declared is no scope of a permission",
        "sessions/permissions.py",
        "*(role for role in roles if role not in self.declared)",
        "*roles",
        MAP + "test_a_role_with_the_name_of_a_permission_gives_no_permission",
    ),
    Defence(
        "permission: users get declared roles only",
        "sessions/permissions.py",
        "if role not in self._grants] if self._is_given else []",
        "if role == '']",
        MAP + "test_users_get_declared_roles_only",
    ),
    Defence(
        "permission: a limited identity stays limited",
        "sessions/identity.py",
        'return self._copy(roles, getattr(self, "_limit", None))',
        "return self._copy(roles, None)",
        MAP + "test_a_limited_identity_stays_limited",
    ),
    Defence(
        "permission: all that a guard names are needed",
        "sessions/demand.py",
        "if self.any_of and demanded:",
        "if demanded:",
        MAP + "test_an_identity_has_the_permissions_of_its_current_roles",
    ),
    Defence(
        "permission: an endpoint asks for it",
        "feature/admission.py",
        "identity.require(permissions=endpoint.permission or ())",
        "identity.require()",
        ENDPOINT + "test_an_endpoint_refuses_callers_without_its_permission",
    ),
    Defence(
        "permission: roles and status are those of the database",
        "feature/admission.py",
        "            identity = await self._confirm(identity)",
        "            identity = identity.require()",
        ENDPOINT + "test_roles_status_and_session_are_those_of_the_database",
    ),
    Defence(
        "permission: a credential has no more than its user",
        "sessions/verifier.py",
        ".limited_to(self._source.permissions.of(user.roles))",
        "",
        ENDPOINT + "test_a_credential_without_a_session_has_no_more_than_its_user",
    ),
    Defence(
        "permission: a verified address is demanded as it is now",
        "sessions/meeting.py",
        "if not user.email_verified:",
        "if not user.email:",
        "hosts/test_verified.py::test_a_guard_demands_a_verified_address_as_it_is_now",
    ),
]
