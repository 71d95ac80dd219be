"""The documentation site, docs/decisions/0010-docs-site.md: `make docs` builds it."""

import os
import shutil
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

import freshness  # noqa: E402

project = "gapscope"
author = "The gapscope developers"
copyright = "2026, the gapscope developers"
release = version = installed_version("gapscope")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "code_links",
    "docstrings",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
nitpicky = True
# Types of other packages: no inventories are downloaded, so that the build needs no network.
foreign = (
    "numpy|np|xarray|xr|matplotlib|keras|pydantic|annotated_types|pathlib|collections|contextlib"
)
# Parts of gapscope that public signatures name and that are no interface of their own.
internal = "samples|by_irrep|inputs|metrics|averaging|weights|sampling|compute|stokes"
nitpick_ignore_regex = [
    ("py:.*", rf"({foreign})\..*|NDArray|ArrayLike|Path|Any|Self|Callable"),
    ("py:.*", rf"gapscope\.(learning|dataset)(\.\w+)?\.({internal})(\..*)?"),
    ("py:.*", r"Range|Method|__call__|C3|Companion|with_spin|.*\.(Scalar|grid_of|Variable)"),
    ("py:.*", r".*\.(Sought|Rival|Companion|Bravais|Manifest|require_output)"),
    ("py:.*", r".*\.(SiteNoise|Discriminator|Look|Scores)"),
    ("py:.*", r".*\.(Forward|Cube|Target|Mixture|Mode|Draws|Simulations)"),
    # Names of types of their own, a type's variable, and what is cut from nested brackets.
    ("py:.*", r"Given|LeftOut|Used|Seen|.*\.least_squares\.P|.*\.bonds\.Vector|tuple\[float"),
]

# Pages
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
root_doc = "index"

# Executed examples: their results are kept until an example, or what it runs, changes.
nb_execution_mode = "cache"
nb_execution_cache_path = str(freshness.cache(HERE / "_build" / "examples", HERE.parent))
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_merge_streams = True
# TensorFlow writes its build notes there, and cannot be told not to.
nb_output_stderr = "remove"
# Kernels find gapscope's commands, and their own settings instead of the user's.
startup = HERE / "_build" / "ipython" / "profile_default" / "startup"
startup.mkdir(parents=True, exist_ok=True)
shutil.copy(HERE / "_extensions" / "kernel_startup.py", startup)
os.environ["IPYTHONDIR"] = str(startup.parents[1])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# API reference
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88

# Looks
html_theme = "furo"
html_title = "gapscope"
html_static_path = ["_static"]
html_css_files = ["gapscope.css"]
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#1f4e79",
        "color-brand-content": "#1f5f9f",
        "color-background-secondary": "#f7f8fa",
        "color-api-name": "#1f4e79",
        "color-api-pre-name": "#5b6b7b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#9cc4ea",
        "color-brand-content": "#8ab8e6",
        "color-api-name": "#9cc4ea",
    },
}
