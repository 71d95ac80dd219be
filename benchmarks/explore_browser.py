"""`gapscope explore` in a process of its own, and Chromium to look at it.

Used by explore.py, screenshots.py and tests/explore. Playwright's Python package drives the
Chromium of the system (Debian's package chromium); it downloads none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, sync_playwright
from playwright.sync_api import Page as Tab

from gapscope.explore.state import CONVERGED

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1440, "height": 900}
LONG = 600.0
"""Seconds for what is expected, whatever else the machine does."""
SLIDERS = ("gap", "theta", "phi", "eps0", "impurity", "moment", "energy", "broadening")
PIXELS = """
name => {
  const source = Bokeh.documents.map(one => one.get_model_by_name(name)).find(one => one)
  if (!source) return null
  let hash = 7
  const pixels = source.data.image[0]
  if (!pixels) return -1
  for (let i = 0; i < pixels.length; i += 61) hash = (31 * hash + pixels[i]) % 2147483647
  return hash
}
"""
DRAWN = """
name => {
  window.drawn = new Promise(done => {
    let start
    const key = () => { start = performance.now() }
    document.addEventListener("keydown", key, {capture: true, once: true})
    const source = Bokeh.documents.map(one => one.get_model_by_name(name)).find(one => one)
    const changed = () => {
      source.properties.data.change.disconnect(changed)
      requestAnimationFrame(() => setTimeout(() => done((performance.now() - start) / 1000)))
    }
    source.properties.data.change.connect(changed)
  })
}
"""
FRAME = """
name => {
  for (const view of Object.values(Bokeh.index)) {
    const found = [...view.owner.query(one =>
      one.model.type === "GlyphRenderer" && one.model.data_source.name === name)][0]
    if (!found) continue
    const box = found.plot_view.frame.bbox
    const canvas = found.plot_view.canvas_view.el.getBoundingClientRect()
    return {x: canvas.x + box.x0, y: canvas.y + box.y0, width: box.width, height: box.height}
  }
}
"""


def chromium() -> str | None:
    """Path of a Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def served(*options: str) -> Iterator[str]:
    """The address of a page that is served while the block lasts."""
    code = "from gapscope.cli import main; main()"
    command = [sys.executable, "-c", code, "explore", "--no-browser", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0]
                return
        raise RuntimeError(f"gapscope explore ended with status {process.wait()}")
    finally:
        process.terminate()
        process.wait(timeout=60)


CUT = """
() => {
  const width = document.documentElement.clientWidth
  const cut = []
  const look = root => {
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) look(one.shadowRoot)
      const box = one.getBoundingClientRect()
      const seen = box.width > 0 && box.height > 0 && (one.innerText || one.tagName === "CANVAS")
      const inside = one.scrollWidth <= one.clientWidth + 1 || !one.clientWidth
      if (seen && (box.right > width + 1 || (one.tagName === "P" && !inside)))
        cut.push(`${one.tagName} ${(one.innerText || "").slice(0, 40)}`)
    }
  }
  look(document)
  return cut
}
"""

QUIET = 400
"""Milliseconds without a move after which a page is laid out; a frame for each 40 at least."""
STILL = """
quiet => new Promise(done => {
  const places = () => {
    const found = []
    const look = root => {
      for (const one of root.querySelectorAll("*")) {
        if (one.shadowRoot) look(one.shadowRoot)
        const box = one.getBoundingClientRect()
        found.push(box.x, box.y, box.width, box.height)
      }
    }
    look(document)
    return found.join()
  }
  let last = "", since = 0, frames = 0
  const frame = () => {
    const now = places()
    if (now !== last) { last = now; since = performance.now(); frames = 0 }
    frames += 1
    if (performance.now() - since >= quiet && frames >= quiet / 40) done()
    else setTimeout(() => requestAnimationFrame(frame), 20)
  }
  frame()
})
"""


@dataclass
class Visit:
    """A page in the browser; ``outside`` collects what it asks of other machines."""

    tab: Tab
    outside: list[str] = field(default_factory=list)

    def pixels(self, picture: str) -> int:
        """A hash of what a picture shows, by the name of its source."""
        return int(self.tab.evaluate(PIXELS, picture))

    def changed(self, picture: str, before: int, seconds: float = LONG) -> int:
        """Wait until a picture shows something else."""
        self.tab.wait_for_function(
            f"([name, before]) => ({PIXELS})(name) !== before",
            arg=[picture, before],
            timeout=1000 * seconds,
            polling=10,
        )
        return self.pixels(picture)

    def settled(self, seconds: float = LONG) -> None:
        """Wait until all is converged: the density of states comes last."""
        self.text(f"density of states {CONVERGED.word}", seconds)

    def handle(self, slider: str) -> Locator:
        """The handle of a slider."""
        return self.tab.locator(".noUi-handle").nth(SLIDERS.index(slider))

    def move(self, slider: str, steps: int = 1) -> None:
        """Move a slider by so many steps, with the arrow keys."""
        for _ in range(abs(steps)):
            self.handle(slider).press("ArrowRight" if steps > 0 else "ArrowLeft")

    def redraw(self, slider: str, picture: str) -> float:
        """Seconds from the key on a slider's handle until a picture's new pixels are drawn.

        By the browser's own clock: what drives it is not counted.
        """
        self.tab.evaluate(DRAWN, picture)
        self.move(slider)
        return float(self.tab.evaluate("() => window.drawn"))

    def text(self, words: str, seconds: float = LONG) -> None:
        """Wait until words are to be seen."""
        found = self.tab.get_by_text(words).locator("visible=true").first
        found.wait_for(timeout=1000 * seconds)

    def frame(self, picture: str) -> dict[str, float]:
        """Where a picture is on the page: x, y, width and height of its frame."""
        return dict(self.tab.evaluate(FRAME, picture))

    def tap(self, picture: str, x: float, y: float) -> None:
        """Click into a picture, at parts of its width from left and of its height from below."""
        frame = self.frame(picture)
        self.tab.mouse.click(
            frame["x"] + x * frame["width"], frame["y"] + (1 - y) * frame["height"]
        )

    def drop(self, path: Path) -> None:
        """Give the page a measured file."""
        self.tab.get_by_text("Measured file").click()
        self.tab.set_input_files("input[type=file]", path)

    def cut(self, width: int) -> list[str]:
        """What reaches out of a window of this width."""
        self.tab.set_viewport_size({"width": width, "height": SIZE["height"]})
        self.tab.evaluate(STILL, QUIET)  # until the figures are laid out
        return list(self.tab.evaluate(CUT))

    def overflow(self) -> tuple[int, int]:
        """Pixels by which the page is wider and higher than the window."""
        sizes = self.tab.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        return sizes[0] - SIZE["width"], sizes[1] - SIZE["height"]


@contextmanager
def browser(arguments: Sequence[str] = ()) -> Iterator[Browser]:
    """A headless Chromium."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium(), args=[*root, *arguments])
        try:
            yield one
        finally:
            one.close()


@contextmanager
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open an address as a new visitor and wait for the first verdict."""
    tab = browser.new_page(viewport=SIZE)
    one = Visit(tab)
    place = urlsplit(address).netloc
    own = (f"http://{place}", f"ws://{place}", "data:", "blob:")

    def note(url: str) -> None:
        if not url.startswith(own):
            one.outside.append(url)

    try:
        tab.on("request", lambda request: note(request.url))
        tab.on("websocket", lambda socket: note(socket.url))
        tab.goto(address, timeout=1000 * LONG)
        one.text("the training maps")
        yield one
    finally:
        tab.close()
