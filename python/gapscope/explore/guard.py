"""Who may ask for anything of the page: those who know its token, under its own address.

On a machine that several people share, every one of them reaches a port of 127.0.0.1. As with
Jupyter, the address that is printed holds a token; whoever opens it is given a cookie, and the
token leaves the address bar. The Host header is checked, or a page from elsewhere could reach the
server under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler, stream_request_body

TOKEN = "token"
NO_TOKEN = "Open the address that `gapscope explore` printed, with its token."
NO_HOST = (
    "Open the page under the address that `gapscope explore` printed. A tunnel has to forward the "
    "same port: ssh -L PORT:localhost:PORT."
)


@stream_request_body
class Refusal(RequestHandler):
    """Says why, whatever the method, as soon as the headers are read.

    Tornado then closes the connection instead of reading the body, which may have 100 MB.
    """

    def initialize(self, reason: str) -> None:
        """Tornado's way to hand it over."""
        self._reason = reason

    def prepare(self) -> None:
        """403 with the reason."""
        self.set_status(403)
        _private(self)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self._reason + "\n")

    def data_received(self, chunk: bytes) -> None:
        """Leave a body aside that came with the headers."""


class Entrance(RequestHandler):
    """Gives the cookie, and the page without the token in its address."""

    def initialize(self, cookie: str, token: str) -> None:
        """Tornado's way to hand these over."""
        self._cookie, self._token = cookie, token

    def get(self) -> None:
        """Send the browser to the page, with the cookie."""
        _private(self)
        self.set_cookie(self._cookie, self._token, httponly=True, samesite="Lax", path="/")
        self.redirect("/")


@dataclass
class Guard(Router):
    """Every request passes here before the application sees it: pages, sockets, files.

    Attributes
    ----------
    application : answers what is let through.
    hosts : that requests may name, as host:port.
    port : the server's port; browsers send cookies of one port to all others of a machine.
    token : drawn anew for each server.
    """

    application: Application
    hosts: Collection[str]
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"gapscope-{self.port}"

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """What answers a request."""
        if _with_port(request.host.lower()) not in self.hosts:
            return self._handler(request, Refusal, reason=NO_HOST)
        given = request.query_arguments.get(TOKEN, [])
        if any(map(self._right, given)):
            if request.method == "GET" and request.path == "/":
                return self._handler(request, Entrance, cookie=self.cookie, token=self.token)
        elif not self._right(_cookie(request, self.cookie)):
            return self._handler(request, Refusal, reason=NO_TOKEN)
        return self.application.find_handler(request, **kwargs)

    def _right(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self.token.encode())

    def _handler(
        self, request: HTTPServerRequest, kind: type[RequestHandler], **given: str
    ) -> HTTPMessageDelegate:
        return self.application.get_handler_delegate(request, kind, given)


def _with_port(host: str) -> str:
    """Browsers leave the port of plain HTTP out."""
    return host if ":" in host else f"{host}:80"


def _private(handler: RequestHandler) -> None:
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("Referrer-Policy", "no-referrer")


def _cookie(request: HTTPServerRequest, name: str) -> bytes:
    try:
        found = SimpleCookie(request.headers.get("Cookie", "")).get(name)
    except CookieError:
        return b""
    return b"" if found is None else found.value.encode()
