"""Every error that the library raises on purpose; each has an HTTP status and a stable code.

AuthError
├── BadRequestError                         400 bad_request
│   ├── UnsupportedGrantTypeError           400 unsupported_grant_type
│   ├── UnknownClientError                  400 unknown_client
│   ├── ConsentExpiredError                 400 consent_expired
│   ├── InvalidGrantError                   400 invalid_grant
│   ├── InvalidTargetError                  400 invalid_target
│   ├── InvalidRedirectUriError             400 invalid_redirect_uri
│   ├── InvalidClientMetadataError          400 invalid_client_metadata
│   └── InvalidOneTimeTokenError            400 invalid_one_time_token
│       ├── InvalidVerificationTokenError   400 invalid_verification_token
│       └── InvalidResetTokenError          400 invalid_reset_token
├── InvalidLoginStateError                  400 invalid_login_state
├── ProviderRefusedError                    400 provider_refused
├── UnauthorizedError                       401 unauthorized
│   ├── InvalidCredentialsError             401 invalid_credentials
│   ├── PasswordNeededError                 401 password_needed
│   ├── FreshLoginRequiredError             401 fresh_login_required
│   ├── SecondFactorRequiredError           401 second_factor_required
│   ├── InvalidCodeError                    401 invalid_code
│   ├── InvalidPasskeyError                 401 invalid_passkey
│   ├── InvalidHandoffError                 401 invalid_handoff
│   ├── PendingLoginExpiredError            401 pending_login_expired
│   └── InvalidTokenError                   401 invalid_token
│       ├── TokenExpiredError               401 token_expired
│       ├── TokenRevokedError               401 token_revoked
│       └── TokenReuseError                 401 token_reuse
├── InvalidClientError                      401 invalid_client
├── ForbiddenError                          403 forbidden
│   ├── AccountDisabledError                403 account_disabled
│   ├── EmailNotVerifiedError               403 email_not_verified
│   ├── SecondFactorNeededError             403 second_factor_needed
│   ├── SessionNeededError                  403 session_needed
│   ├── ImpersonatedError                   403 impersonated
│   ├── InsufficientScopeError              403 insufficient_scope
│   ├── RegistrationClosedError             403 registration_closed
│   ├── OtherIdentityError                  403 other_identity
│   ├── SecondFactorSetupRequiredError      403 second_factor_setup_required
│   └── CrossSiteRequestError               403 cross_site_request
├── NotFoundError                           404 not_found
│   ├── SessionNotFoundError                404 session_not_found
│   └── UserNotFoundError                   404 user_not_found
├── MethodNotAllowedError                   405 method_not_allowed
├── RequestTimeoutError                     408 request_timeout
├── UserExistsError                         409 user_exists
│   └── UserIdExistsError                   409 user_id_exists
├── AlreadyVerifiedError                    409 already_verified
├── FactorExistsError                       409 factor_exists
├── PasskeyExistsError                      409 passkey_exists
├── TooManyPasskeysError                    409 too_many_passkeys
├── LastWayInError                          409 last_way_in
├── IdentityTakenError                      409 identity_taken
├── LinkNeededError                         409 link_needed
├── ProviderLoginNeededError                409 provider_login_needed
├── LastAdministratorError                  409 last_administrator
├── BodyTooLargeError                       413 body_too_large
├── UnsupportedMediaTypeError               415 unsupported_media_type
├── ValidationError                         422 validation_error
│   ├── PasswordPolicyError                 422 password_validation
│   └── UnknownRoleError                    422 unknown_role
├── SignUpIncompleteError                   422 sign_up_incomplete
│   ├── EmailNeededError                    422 email_needed
│   └── FieldsNeededError                   422 fields_needed
├── RateLimitedError                        429 rate_limited
│   └── AccountLockedError                  429 account_locked
├── InternalError                           500 internal_error
│   └── AsyncioRequiredError                500 asyncio_required
└── ServiceUnavailableError                 503 service_unavailable
    ├── BusyError                           503 busy
    ├── ProviderUnavailableError            503 provider_unavailable
    └── StorageUnavailableError             503 storage_unavailable
        └── StorageSetupError               503 storage_unavailable
            ├── SchemaError                 503 storage_unavailable
            └── PoolerError                 503 storage_unavailable

A mistake in the configuration is a ValueError, raised when the object is made.
"""

from asgi_auth.errors.accounts import (
    AccountDisabledError,
    AlreadyVerifiedError,
    EmailNotVerifiedError,
    FactorExistsError,
    LastAdministratorError,
    LastWayInError,
    PasskeyExistsError,
    SessionNotFoundError,
    TooManyPasskeysError,
    UnknownRoleError,
    UserExistsError,
    UserIdExistsError,
    UserNotFoundError,
)
from asgi_auth.errors.authentication import (
    FreshLoginRequiredError,
    InvalidClientError,
    InvalidCodeError,
    InvalidCredentialsError,
    InvalidPasskeyError,
    PasswordNeededError,
    PendingLoginExpiredError,
    SecondFactorRequiredError,
    SecondFactorSetupRequiredError,
    UnauthorizedError,
)
from asgi_auth.errors.authorization import (
    CrossSiteRequestError,
    ForbiddenError,
    ImpersonatedError,
    InsufficientScopeError,
    SecondFactorNeededError,
    SessionNeededError,
)
from asgi_auth.errors.base import AuthError
from asgi_auth.errors.limits import AccountLockedError, RateLimitedError
from asgi_auth.errors.request import (
    BadRequestError,
    BodyTooLargeError,
    MethodNotAllowedError,
    NotFoundError,
    PasswordPolicyError,
    RequestTimeoutError,
    UnsupportedGrantTypeError,
    UnsupportedMediaTypeError,
    ValidationError,
)
from asgi_auth.errors.service import (
    AsyncioRequiredError,
    BusyError,
    InternalError,
    ProviderLoginNeededError,
    ProviderUnavailableError,
    ServiceUnavailableError,
    StorageSetupError,
    StorageUnavailableError,
)
from asgi_auth.errors.tokens import (
    InvalidOneTimeTokenError,
    InvalidResetTokenError,
    InvalidTokenError,
    InvalidVerificationTokenError,
    TokenExpiredError,
    TokenReuseError,
    TokenRevokedError,
)

__all__ = [
    "AccountDisabledError",
    "AccountLockedError",
    "AlreadyVerifiedError",
    "AsyncioRequiredError",
    "AuthError",
    "BadRequestError",
    "BodyTooLargeError",
    "BusyError",
    "CrossSiteRequestError",
    "EmailNotVerifiedError",
    "FactorExistsError",
    "ForbiddenError",
    "FreshLoginRequiredError",
    "ImpersonatedError",
    "InsufficientScopeError",
    "InternalError",
    "InvalidClientError",
    "InvalidCodeError",
    "InvalidCredentialsError",
    "InvalidOneTimeTokenError",
    "InvalidPasskeyError",
    "InvalidResetTokenError",
    "InvalidTokenError",
    "InvalidVerificationTokenError",
    "LastAdministratorError",
    "LastWayInError",
    "MethodNotAllowedError",
    "NotFoundError",
    "PasskeyExistsError",
    "PasswordNeededError",
    "PasswordPolicyError",
    "PendingLoginExpiredError",
    "ProviderLoginNeededError",
    "ProviderUnavailableError",
    "RateLimitedError",
    "RequestTimeoutError",
    "SecondFactorNeededError",
    "SecondFactorRequiredError",
    "SecondFactorSetupRequiredError",
    "ServiceUnavailableError",
    "SessionNeededError",
    "SessionNotFoundError",
    "StorageSetupError",
    "StorageUnavailableError",
    "TokenExpiredError",
    "TokenReuseError",
    "TokenRevokedError",
    "TooManyPasskeysError",
    "UnauthorizedError",
    "UnknownRoleError",
    "UnsupportedGrantTypeError",
    "UnsupportedMediaTypeError",
    "UserExistsError",
    "UserIdExistsError",
    "UserNotFoundError",
    "ValidationError",
]
