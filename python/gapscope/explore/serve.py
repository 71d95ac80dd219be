"""The server: on this machine only, for those who know the token in its address."""

from __future__ import annotations

import asyncio
import atexit
import logging
import shutil
import sys
import tempfile
import warnings
import webbrowser
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from weakref import WeakValueDictionary

import panel as pn
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError

from gapscope.errors import ConvergenceWarning, GapscopeError
from gapscope.explore.address import LOCAL, free_port, origins
from gapscope.explore.gap_choices import gap_choices
from gapscope.explore.guard import TOKEN, Guard
from gapscope.explore.judge import Judge, known_of
from gapscope.explore.page import Page
from gapscope.explore.results import density, maps, spectral
from gapscope.explore.state import COARSE, State
from gapscope.explore.style import STYLE
from gapscope.explore.worker import Worker
from gapscope.learning.model_folder.run import RunFolder
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL, find_model

PORT = 5006
SWITCH = 0.0005
"""Seconds after which a thread hands Python's lock on: the page's thread asks for it again after
every message, and would wait Python's usual 5 ms each time while the workers compute."""
TYPES = {"nc": "application/x-netcdf", "png": "image/png", "py": "text/x-python"}
Pages = WeakValueDictionary[str, Page]


class Download(RequestHandler):
    """Files of a page, made by the worker when they are asked for."""

    def initialize(self, pages: Pages, worker: Worker) -> None:
        """Tornado's way to hand these over."""
        self._pages, self._worker = pages, worker

    async def get(self, token: str, name: str) -> None:
        """The file; 404 for a page or a file that is not there, 422 with a typed error's text."""
        page = self._pages.get(token)
        job = None if page is None else page.download(name)
        if job is None:
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")
        try:
            content = await asyncio.wrap_future(self._worker.run(job))
        except GapscopeError as error:
            self.set_status(422)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(str(error))
            return
        self.set_header("Content-Type", TYPES[name.rpartition(".")[2]])
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.finish(content)


def make_server(
    model: str = SHIPPED_MODEL,
    measured_model: str = MEASURED_MODEL,
    *,
    address: str = LOCAL,
    port: int = PORT,
    browser: bool = False,
    first: State | None = None,
) -> tuple[Any, str]:
    """A server of the page, ready to be started, and its address with the token that opens it.

    The first map is computed before.

    Parameters
    ----------
    model, measured_model : the networks that answer, see :class:`gapscope.explore.judge.Judge`.
    address : that it listens on; only this machine reaches the default one. Another lets others
        in who know the token, and who have to open the page under exactly this address or name.
    port : 0 for any free one.
    browser : open the page in the browser when the server starts.
    first : where the sliders stand first; where not given, on a map of the model's kind.

    Raises
    ------
    SettingError : see :func:`gapscope.explore.address.free_port`.
    RunError, CalibrationError, SchemaVersionError : see :class:`gapscope.explore.judge.Judge`.
    KernelError, JuliaNotFoundError : the kernel does not work here.
    """
    port = free_port(address, port)
    sys.setswitchinterval(SWITCH)
    worker, reader, sampler, pages = Worker(), Worker(), Worker(), Pages()
    first = first or known_of(RunFolder(find_model(model)).config()).first()
    judge = _ready(worker, reader, model, measured_model, first)
    pn.extension("filedropper", raw_css=[STYLE])

    def page() -> None:
        document = pn.state.curdoc
        assert document is not None  # Panel calls this for a session, and with its document
        one = Page(worker, reader, sampler, judge, document, first)
        pages[one.token] = one
        # The page lives as long as its document, and no longer.
        document.on_session_destroyed(lambda context: one.end())
        one.serve()

    server = pn.serve(
        {"/": page},
        address=address,
        port=port,
        websocket_origin=origins(address, port),
        show=False,  # Panel knows no token
        start=False,
        verbose=False,
        extra_patterns=[
            (r"/download/([\w-]+)/([\w.]+)", Download, {"pages": pages, "worker": worker})
        ],
    )
    guard = Guard(server._tornado, origins(address, port), port)
    server._http.request_callback = guard
    opened = f"http://{address}:{port}/?{TOKEN}={guard.token}"
    if browser:
        # In a thread: some browsers hold their caller until they end.
        show = Thread(target=open_privately, args=(opened,), daemon=True)
        server.io_loop.add_callback(show.start)
    return server, opened


def open_privately(opened: str) -> None:
    """Open an address in the browser by way of a file that only its owner reads.

    Every user of the machine sees the arguments of a process, and a token among them.
    """
    folder = Path(tempfile.mkdtemp(prefix="gapscope-"))  # its owner's alone
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    page = folder / "open.html"
    page.write_text(f'<meta http-equiv="refresh" content="0; url={opened}">\n', encoding="utf-8")
    webbrowser.open(page.as_uri())


def _ready(worker: Worker, reader: Worker, model: str, measured_model: str, first: State) -> Judge:
    """The networks, with all warm that a slider would wait for."""
    judge: Judge = worker.run(lambda: Judge(model, measured_model)).result()
    for one in (reader.run(judge.warm), worker.run(partial(_compile, first))):
        one.result()
    # Not beside judge.warm: both would factorise the same surface.
    if judge.known.knows(first):
        reader.run(lambda: judge(first, maps(first, COARSE))).result()
    return judge


def _compile(first: State) -> None:
    """Let Julia compile what it compiles at the first use."""
    for state in (first, replace(first, energy=first.energy + 0.1), *_of_another_kind(first)):
        spectral(state, COARSE)
        density(state, COARSE)
        maps(state, COARSE)


def _of_another_kind(first: State) -> list[State]:
    """A state without an angle, or with one where the first has none, if the crystal has it."""
    has = bool(first.has)
    others = [name for name, one in gap_choices(first.crystal).items() if bool(one.angles) != has]
    return [replace(first, irrep=name) for name in others[:1]]


def silence() -> None:
    """Leave the terminal to errors: Bokeh reports every visit, asyncio who has gone."""
    for name in ("bokeh", "tornado.access"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("asyncio").addFilter(_is_error)
    warnings.filterwarnings("ignore", module="bokeh")
    # The page says of each picture how well it is computed.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)


def _is_error(record: logging.LogRecord) -> bool:
    """Whether it is more than a message to a browser that was closed meanwhile."""
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))
