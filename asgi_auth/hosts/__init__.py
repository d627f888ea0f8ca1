"""Integrations for single frameworks, one module each: guards for the routes, and responses for the guards' errors.

    from asgi_auth import Auth, AuthMiddleware
    from asgi_auth.hosts.starlette import install, require

    install(app)                                      # 1. Answer the errors of guards.
    app = AuthMiddleware(app, auth, mount="/auth")    # 2. Authenticate, and serve the auth routes.

The guards are `require` and `login_required` (FastAPI: `require` and `CurrentUser`). There are modules for Starlette,
FastAPI, Litestar, Quart, Django, Flask, Gradio, Reflex, and MCP; each explains its own steps. Other ASGI frameworks
need no module: wrap the app in `AuthMiddleware`, call `asgi_auth.require(scope)`, and answer an `AuthError` with
`asgi_auth.problem(error, scope)`.
`guard` and `merge` are not public: the other modules use them.
"""
