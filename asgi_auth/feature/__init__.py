"""The kit of feature authors: the base class, the declaration of endpoints, and their types.

Names are loaded on first use.
"""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader

if TYPE_CHECKING:
    from asgi_auth.accounts.passwords import PasswordService
    from asgi_auth.accounts.purpose import MAIL_LIMITS, TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
    from asgi_auth.accounts.registration import RegistrationService
    from asgi_auth.feature.base import REFUSED_SETUPS, REFUSED_TOKENS
    from asgi_auth.feature.call import Call, Ending
    from asgi_auth.feature.declare import delete, get, patch, post
    from asgi_auth.feature.endpoint import Endpoint
    from asgi_auth.feature.feature import Feature
    from asgi_auth.feature.grant import Grant
    from asgi_auth.feature.page import ONWARD, Form, Page, Section
    from asgi_auth.feature.root_path import RootPath
    from asgi_auth.feature.route import Route, Served
    from asgi_auth.mail.message import Letter
    from asgi_auth.model.answers import Answer, Redirect, Requested, SetCookie, TextFile, TokenPair
    from asgi_auth.model.basic import BasicCredentials
    from asgi_auth.model.event_types import Action
    from asgi_auth.model.limits import Rule
    from asgi_auth.model.records import (
        Client,
        Credential,
        Event,
        LoginAttempt,
        OneTimeToken,
        Record,
        Session,
        User,
        new_id,
    )
    from asgi_auth.model.user_info import UserInfo
    from asgi_auth.outgoing import Outgoing
    from asgi_auth.sessions.factor import Factor
    from asgi_auth.sessions.identity import Identity
    from asgi_auth.validation.fields import Email, Line, Secret, Time, TokenText

__all__ = [
    "MAIL_LIMITS",
    "ONWARD",
    "REFUSED_SETUPS",
    "REFUSED_TOKENS",
    "TOKEN_LIMITS",
    "TOKEN_OR_CODE",
    "Action",
    "Answer",
    "BasicCredentials",
    "Call",
    "Client",
    "Credential",
    "Email",
    "Ending",
    "Endpoint",
    "Event",
    "Factor",
    "Feature",
    "Form",
    "Grant",
    "Identity",
    "Letter",
    "Line",
    "LoginAttempt",
    "OneTimeToken",
    "Outgoing",
    "Page",
    "PasswordService",
    "Purpose",
    "Record",
    "Redirect",
    "RegistrationService",
    "Requested",
    "RootPath",
    "Route",
    "Rule",
    "Secret",
    "Section",
    "Served",
    "Session",
    "SetCookie",
    "TextFile",
    "Time",
    "TokenPair",
    "TokenText",
    "User",
    "UserInfo",
    "delete",
    "get",
    "new_id",
    "patch",
    "post",
]

if not TYPE_CHECKING:
    __getattr__ = loader(
        __name__,
        {
            "Action": "model.event_types",
            "Answer": "model.answers",
            "BasicCredentials": "model.basic",
            "Call": "feature.call",
            "Ending": "feature.call",
            "Client": "model.records",
            "Credential": "model.records",
            "Email": "validation.fields",
            "Endpoint": "feature.endpoint",
            "Event": "model.records",
            "Factor": "sessions.factor",
            "Feature": "feature.feature",
            "Form": "feature.page",
            "Grant": "feature.grant",
            "Identity": "sessions.identity",
            "Letter": "mail.message",
            "Line": "validation.fields",
            "LoginAttempt": "model.records",
            "ONWARD": "feature.page",
            "OneTimeToken": "model.records",
            "Page": "feature.page",
            "PasswordService": "accounts.passwords",
            "Purpose": "accounts.purpose",
            "REFUSED_SETUPS": "feature.base",
            "REFUSED_TOKENS": "feature.base",
            "Record": "model.records",
            "RegistrationService": "accounts.registration",
            "Redirect": "model.answers",
            "Requested": "model.answers",
            "SetCookie": "model.answers",
            "Outgoing": "outgoing",
            "RootPath": "feature.root_path",
            "Route": "feature.route",
            "Rule": "model.limits",
            "Secret": "validation.fields",
            "Section": "feature.page",
            "Served": "feature.route",
            "Session": "model.records",
            "MAIL_LIMITS": "accounts.purpose",
            "TOKEN_LIMITS": "accounts.purpose",
            "TOKEN_OR_CODE": "accounts.purpose",
            "TextFile": "model.answers",
            "Time": "validation.fields",
            "TokenPair": "model.answers",
            "TokenText": "validation.fields",
            "User": "model.records",
            "UserInfo": "model.user_info",
            "delete": "feature.declare",
            "get": "feature.declare",
            "new_id": "model.records",
            "patch": "feature.declare",
            "post": "feature.declare",
        },
        "asgi_auth",
    )
