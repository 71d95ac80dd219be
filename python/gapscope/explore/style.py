"""The page's style sheet."""

from pathlib import Path

STYLE = (Path(__file__).parent / "style.css").read_text()
