"""Administration of users in process: accounts are created, found, changed, banned and deleted."""

from asgi_auth.accounts.bans import Bans
from asgi_auth.accounts.inviting import Inviting
from asgi_auth.accounts.user_access import UserAccess
from asgi_auth.accounts.user_lists import UserLists
from asgi_auth.accounts.user_values import UserValues


class Users(UserLists, UserAccess, Inviting, UserValues, Bans):
    """The accounts of an `Auth`: `auth.users`. Unknown ids raise UserNotFoundError.

    Methods that change something take `by`, the identity of the user who does it, and `client`: both are in the events
    and audit records.
    """
