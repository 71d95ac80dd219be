"""Nobody gets anything of the page without its token, or under another name."""

from __future__ import annotations

import asyncio
import http.client
import socket
from urllib.parse import urlsplit

import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from gapscope.explore.guard import Entrance, Guard, Refusal

PATHS = (
    "/",
    "/?token=wrong",
    "/ws",
    "/autoload.js",
    "/metadata",
    "/static/js/bokeh.min.js",
    "/download/page/map.nc",
    "/nothing",
)
LONG = 20
"""Seconds for an answer, whatever else runs."""


def ask(
    address: str, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=LONG)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_given(address: str, path: str, method: str) -> None:
    assert ask(address, path, method)[0] == 403
    cookie = f"gapscope-{urlsplit(address).port}=wrong"
    assert ask(address, path, method, Cookie=cookie)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{}", "127.0.0.1", "localhost:1"])
def test_under_another_name_nothing_is_given(address: str, host: str) -> None:
    query = urlsplit(address).query
    for path in PATHS:
        joined = f"{path.partition('?')[0]}?{query}"
        name = host.format(urlsplit(address).port)
        assert ask(address, joined, Host=name)[0] == 403, path


def test_the_address_gives_a_cookie_and_the_page_without_the_token(address: str) -> None:
    place = urlsplit(address)
    status, headers, _ = ask(address, f"/?{place.query}")
    assert (status, headers["Location"]) == (302, "/")
    assert headers["Referrer-Policy"] == "no-referrer"
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = place.query.removeprefix("token=")
    for host in (place.netloc, f"localhost:{place.port}"):
        status, _, page = ask(address, "/", Cookie=cookie.partition(";")[0], Host=host)
        assert status == 200
        assert token.encode() not in page


def test_each_server_draws_a_token_of_its_own_that_no_log_shows() -> None:
    one, other = (Guard(Application(), ["localhost:1"], 1) for _ in range(2))
    assert one.token != other.token
    assert len(one.token) > 40
    assert one.token not in repr(one)


@pytest.mark.parametrize("length", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("host", ["localhost:{}", "evil.example"])
def test_a_refusal_waits_for_no_body(length: str, host: str) -> None:
    """The answer is complete, and the connection closed, before a byte of the body is sent."""

    async def answer() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            port = listening.getsockname()[1]
            server = HTTPServer(Guard(Application(), [f"localhost:{port}"], port))
            server.add_socket(listening)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            lines = ["POST / HTTP/1.1", f"Host: {host.format(port)}", length, "", ""]
            writer.write("\r\n".join(lines).encode())
            said = await asyncio.wait_for(reader.read(), LONG)
            writer.close()
            server.stop()
            return said

    assert asyncio.run(answer()).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("headers", "path", "kind"),
    [
        ({"Host": "localhost"}, "/?token={}", Entrance),  # browsers leave port 80 out
        ({"Host": "localhost:80", "Cookie": "gapscope-80={}"}, "/", None),
        ({"Host": "LOCALHOST", "Cookie": "a=b; gapscope-80={}; c=d"}, "/", None),
        ({"Host": "localhost", "Cookie": "gapscope-81={}"}, "/", Refusal),
        ({"Host": "localhost", "Cookie": "\x00;=;{}"}, "/", Refusal),
        ({"Host": "localhost"}, "/?token=%ff%00", Refusal),
    ],
)
def test_what_answers_a_request(headers: dict[str, str], path: str, kind: type | None) -> None:
    guard = Guard(Application(), ["localhost:80"], 80)
    request = HTTPServerRequest(
        headers=HTTPHeaders({name: text.format(guard.token) for name, text in headers.items()}),
        start_line=RequestStartLine("GET", path.format(guard.token), "HTTP/1.1"),
    )
    found = getattr(guard.find_handler(request), "handler_class", None)
    assert (found if found in (Entrance, Refusal) else None) is kind
