"""docs/images/explore.png and explore-measured.png, from the page itself in Chromium.

    python benchmarks/screenshots.py [--measured FILE] [--lattice-constant 3.33]

The file, the SPIP text figure_2a.txt of doi.org/10.5281/zenodo.10144912 where not given, is looked
for in the folder GAPSCOPE_MEASURED.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from pathlib import Path

from PIL import Image

from explore_browser import Visit, browser, served, visit

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
MOST = 500_000
"""Bytes of an image."""
MEASURED = Path(os.environ.get("GAPSCOPE_MEASURED", ROOT.parent / "shared" / "measured"))


def save(page: Visit, name: str) -> None:
    """Write what is seen; with 256 colours where all of them take too many bytes."""
    path = IMAGES / name
    shot = Image.open(io.BytesIO(page.tab.screenshot())).convert("RGB")
    shot.save(path, optimize=True)
    if path.stat().st_size > MOST:
        shot.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"wrote {path}, {path.stat().st_size / 1000:.0f} kB; overflow {page.overflow()} pixels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", type=Path, default=MEASURED / "nbs2" / "figure_2a.txt")
    parser.add_argument("--lattice-constant", default="3.33")
    given = parser.parse_args()
    with served() as address, browser() as one, visit(one, address) as page:
        page.settled()
        save(page, "explore.png")
        page.tab.get_by_text("Measured file").click()
        page.tab.get_by_label("lattice constant").fill(given.lattice_constant)
        page.drop(given.measured)
        page.text("nearest simulated maps")
        time.sleep(1)
        save(page, "explore-measured.png")


if __name__ == "__main__":
    main()
