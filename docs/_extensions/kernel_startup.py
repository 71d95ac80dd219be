"""Runs first in the kernel of every page: figures twice as sharp, and shell cells in one piece.

IPython's own %%bash hands output on in pieces of a hundred characters, which MyST-NB puts on lines
of their own, and goes on after a command that failed.
"""

import subprocess
import sys

from IPython import get_ipython

shell = get_ipython()
shell.run_line_magic("matplotlib", "inline")
shell.run_line_magic("config", "InlineBackend.figure_formats = ['retina']")


def bash(line, cell):
    """Run the lines of a cell until one fails, which fails the cell."""
    done = subprocess.run(["bash", "-e"], input=cell, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr[-2000:]}")


shell.register_magic_function(bash, "cell", "bash")
