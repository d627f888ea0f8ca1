"""A shop: pages of its own over Starlette, and those of `Pages` in its look. Orders are in memory.

The environment has AUTH_SECRET, CART_SECRET, AUTH_DATABASE_URL (such as sqlite:///shop.db), AUTH_BASE_URL
(http://localhost:8000) and AUTH_DEVELOPMENT (true). `uvicorn --app-dir examples/shop shop:app` serves the shop, and
`asgi-auth create-user grace@example.com --role staff` makes a user of the staff.
"""

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from asgi_auth import Auth, AuthMiddleware, Pages, Settings
from asgi_auth.feature import User
from asgi_auth.features.defaults import defaults
from asgi_auth.hosts.starlette import install, login_required, require

HERE = Path(__file__).parent
HEADERS = {"content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"}
PRICES = {"Storm lantern": 49, "Lamp oil": 12, "Spare wick": 3}
templates = Jinja2Templates(HERE / "templates")
orders: list[tuple[User, dict[str, int]]] = []


def page(request: Request, name: str, title: str, **values: object) -> Response:
    me = request.user if request.user.is_authenticated else None
    return templates.TemplateResponse(request, name, {"me": me, "title": title, **values}, headers=HEADERS)


async def shop(request: Request) -> Response:
    return page(request, "shop.html", "Light for dark nights", prices=PRICES, cart=request.session)


async def add(request: Request) -> Response:
    name = request.path_params["name"]
    if name in PRICES:
        request.session[name] = request.session.get(name, 0) + 1
    return RedirectResponse("/", 303)


@login_required
async def checkout(request: Request) -> Response:
    buyer = await request.user.load()
    return page(request, "shop.html", "Checkout", prices=PRICES, cart=request.session, buyer=buyer)


@login_required
async def buy(request: Request) -> Response:
    if cart := dict(request.session):
        orders.append((await request.user.load(), cart))
        request.session.clear()
    return RedirectResponse("/orders", 303)


@login_required
async def mine(request: Request) -> Response:
    own = [(buyer, cart) for buyer, cart in orders if buyer.id == request.user.id]
    return page(request, "orders.html", "Your orders", orders=own)


@require(roles="staff")
async def staff(request: Request) -> Response:
    return page(request, "orders.html", "All orders", orders=orders)


settings = Settings.from_env(name="Lantern & Co.", templates=str(HERE / "templates"), enumeration="tell")
css = (HERE / "static" / "shop.css").read_text("utf-8")
pages = Pages(logo="/static/logo.svg", favicon="/static/logo.svg", accent="#98420a", css=css)
auth = Auth(os.environ["AUTH_DATABASE_URL"], settings=settings, features=[*defaults(mail=False), pages])
routes = [
    Route("/", shop),
    Route("/cart/{name}", add, methods=["POST"]),
    Route("/checkout", checkout),
    Route("/orders", mine),
    Route("/orders", buy, methods=["POST"]),
    Route("/staff", staff),
    Mount("/static", StaticFiles(directory=HERE / "static")),
]
carts = Middleware(SessionMiddleware, os.environ["CART_SECRET"], https_only=not settings.development)
web = Starlette(routes=routes, middleware=[carts])
install(web)
app = AuthMiddleware(web, auth, mount="/auth")
