"""The server over HTTP, and the command that starts it."""

from __future__ import annotations

import base64
import http.client
import importlib.util
import logging
import re
import shutil
import socket
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import panel.models.file_dropper  # noqa: F401 - the client has to know what is on the page
import pytest
from bokeh.client import pull_session
from bokeh.server.util import check_allowlist, create_hosts_allowlist
from click.testing import CliRunner
from tornado.websocket import WebSocketClosedError

from gapscope.cli import main
from gapscope.errors import SettingError
from gapscope.explore import serve
from gapscope.explore.address import LOCAL, free_port, origins
from gapscope.explore.python_lines import python_lines
from gapscope.explore.results import maps
from gapscope.explore.serve import make_server
from gapscope.explore.state import CONVERGED, State
from gapscope.simulation.mapfile import read_map
from gapscope.support.resources import MEASURED_MODEL


def fetch(address: str, path: str = "") -> tuple[int, bytes, Any]:
    """What a visitor is given who has opened the address, which holds the token."""
    place = urlsplit(address)
    cookie = f"gapscope-{place.port}={place.query.removeprefix('token=')}"
    asked = urllib.request.Request(f"http://{place.netloc}/{path}", headers={"Cookie": cookie})
    try:
        with urllib.request.urlopen(asked, timeout=600) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


@pytest.fixture
def token(address: str) -> Iterator[str]:
    """Of a page that stays while its session lasts."""
    place = urlsplit(address)
    arguments = {"token": place.query.removeprefix("token=")}
    session = pull_session(url=f"http://{place.netloc}", arguments=arguments)
    text = str(session.document.to_json())
    found = re.search(r"download/([\w-]+)/map\.nc", text)
    assert found is not None
    yield found[1]
    session.close()


def test_the_page_is_served_with_all_it_needs(address: str) -> None:
    status, content, _ = fetch(address)
    assert status == 200
    assert b"gapscope explore" in content
    sources = re.findall(rb'(?:src|href)="([^"]+)"', content)
    assert sources
    assert not [one for one in sources if one.startswith((b"http", b"//"))]


def test_it_listens_on_this_machine_only(address: str) -> None:
    port = urlsplit(address).port
    assert urlsplit(address).hostname == LOCAL
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.parametrize(
    ("origin", "status"), [("http://{}", 101), ("http://evil.example", 403), ("null", 403)]
)
def test_sockets_open_for_the_page_itself_alone(address: str, origin: str, status: int) -> None:
    place = urlsplit(address).netloc
    _, content, _ = fetch(address)
    found = re.search(rb'"token":\s*"([^"]+)"', content)
    assert found is not None
    connection = http.client.HTTPConnection(place, timeout=600)
    connection.request(
        "GET",
        f"/ws?{urlsplit(address).query}",
        headers={
            "Origin": origin.format(place),
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
            "Sec-WebSocket-Protocol": f"bokeh, {found[1].decode()}",
        },
    )
    answer = connection.getresponse()
    connection.close()
    assert answer.status == status


def test_downloads_are_what_the_page_shows(address: str, token: str, tmp_path: Path) -> None:
    status, content, headers = fetch(address, f"download/{token}/map.nc")
    assert status == 200
    assert "attachment" in headers["Content-Disposition"]
    path = tmp_path / "map.nc"
    path.write_bytes(content)
    assert read_map(path).ldos_change.equals(maps(State(), CONVERGED).ldos_change)
    status, content, _ = fetch(address, f"download/{token}/view.py")
    assert (status, content.decode()) == (200, python_lines(State(), "nbse2-vgg16"))
    status, content, _ = fetch(address, f"download/{token}/view.png")
    assert status == 200
    assert content.startswith(b"\x89PNG\r\n")


def test_pages_and_files_that_are_not_there_are_not_found(address: str, token: str) -> None:
    for path in (f"{token}/preparation.png", f"{token}/other.nc", "no-such-page/map.nc"):
        assert fetch(address, f"download/{path}")[0] == 404


def test_a_port_that_is_taken_is_refused() -> None:
    with (
        socket.create_server((LOCAL, 0)) as taken,
        pytest.raises(SettingError, match="free port"),
    ):
        free_port(LOCAL, taken.getsockname()[1])
    with pytest.raises(SettingError):
        free_port(LOCAL, 99999)
    assert 0 < free_port(LOCAL, 0) < 65536


@pytest.mark.parametrize("address", ["0.0.0.0", "0", ""])
def test_an_address_that_stands_for_all_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="answers under one address"):
        make_server(address=address, port=0)


@pytest.mark.parametrize("address", ["::", "::1", "192.0.2.1"])
def test_an_address_that_cannot_be_listened_on_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="IPv4 address"):
        make_server(address=address, port=0)


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        (LOCAL, {"127.0.0.1:1", "localhost:1"}),
        ("192.0.2.1", {"192.0.2.1:1"}),
        ("Lab-PC", {"lab-pc:1"}),  # browsers say it in small letters
    ],
)
def test_sockets_open_for_pages_of_the_address_alone(address: str, opened: set[str]) -> None:
    allowed = create_hosts_allowlist(origins(address, 1), None)
    asking = {"127.0.0.1:1", "localhost:1", "192.0.2.1:1", "lab-pc:1", "lab-pc:2", "evil.example:1"}
    assert {host for host in asking if check_allowlist(host, allowed)} == opened


def test_without_panel_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "panel" else find(name)
    )
    result = CliRunner().invoke(main, ["explore", "--no-browser"])
    assert result.exit_code == 1
    assert "pip install panel bokeh contourpy" in result.output


@pytest.mark.parametrize("address", [None, "127.0.0.2"])
def test_another_address_is_warned_of(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    asked: dict[str, Any] = {}

    def make_server(model: str, measured_model: str, **options: Any) -> Any:
        asked.update(options, model=model, measured_model=measured_model)
        server = SimpleNamespace(start=lambda: None, io_loop=SimpleNamespace(start=lambda: None))
        return server, "http://there/?token=secret"

    monkeypatch.setattr(serve, "make_server", make_server)
    monkeypatch.setattr(serve, "silence", lambda: None)
    given = ["--port", "0", "--model", MEASURED_MODEL]
    given += [] if address is None else ["--address", address]
    result = CliRunner().invoke(main, ["explore", "--no-browser", *given])
    assert result.exit_code == 0
    assert ("warning" in result.output) == (address is not None)
    assert asked["address"] == (address or LOCAL)
    assert asked["model"] == MEASURED_MODEL
    assert asked["browser"] is False
    assert "http://there/?token=secret" in result.output


def test_the_browser_is_given_no_token_that_others_see(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    serve.open_privately("http://localhost:1/?token=secret")
    (given,) = shown
    assert "secret" not in given
    page = Path(urlsplit(given).path)
    assert "url=http://localhost:1/?token=secret" in page.read_text()
    assert page.parent.stat().st_mode & 0o077 == 0
    shutil.rmtree(page.parent)


def test_a_browser_that_was_closed_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("asyncio")
    serve.silence()
    try:
        for error in (WebSocketClosedError(), ValueError("a fault")):
            log.error("Task exception was never retrieved", exc_info=error)
    finally:
        log.filters.clear()
    assert ["a fault" in str(record.exc_info) for record in caplog.records] == [True]
