"""How the documentation is built: `make docs`. Nothing is fetched from anywhere."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
# Examples are timed and drawn on machines that have other things to do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import rainopt  # noqa: E402 - from this tree

project = "rainopt"
author = "the rainopt project"
release = version = rainopt.__version__
copyright = "the rainopt project; Apache-2.0"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "numpydoc",
    "myst_parser",
    "program_help",
    "soft_links",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "gallery/*.md5", "gallery/README.rst"]
default_role = "soft"
smartquotes = False  # --strength is no dash
highlight_language = "text"
nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names in signatures and docstrings: looking them up would need the network.
    (r"py:.*", r"(numpy|np|torch|collections|pathlib|os|fractions|typing|types|enum)\..*"),
    (r"py:.*", r"ndarray|Array|NDArray|ArrayLike|Tensor|Generator|Path|Fraction|Progress"),
    # Words in the place of types, and names of the house that have no page of their own.
    (r"py:.*", r"array|array_like|path-like|optional|any"),
    (r"py:class", r"Network|(rainopt|rainnet|data_tools)\.\w+\..*"),
]

# --- Pages ---
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
templates_path = ["_templates"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}

# --- Reference ---
autosummary_generate = True
autodoc_typehints = "signature"
autodoc_type_aliases = {"Array": "Array", "ArrayLike": "ArrayLike", "Progress": "Progress"}
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
add_module_names = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# A public function whose docstring leaves out a parameter, or names one that is not there, is an error.
# Fields of dataclasses and tuples are told under Attributes, and an enumeration is not called.
numpydoc_validation_overrides = {"PR01": [r"\n\s*Attributes\n\s*---", r"^How a solve ended"]}
numpydoc_validation_exclude = {r"data_tools\.PRESETS$"}
numpydoc_validation_checks = {"GL01", "GL03", "GL08", "PR01", "PR02", "PR03", "PR07", "RT03", "YD01", "SS02"}

# --- Examples: run at each build ---
sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "plot_gallery": "True",
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1,
    "doc_module": ("rainopt", "rainnet", "data_tools"),
    "backreferences_dir": "gallery/backreferences",
    "inspect_global_variables": True,
    "remove_config_comments": True,
    "write_computation_times": False,
    "capture_repr": (),
    "show_signature": False,
}
warnings.filterwarnings("error", category=DeprecationWarning, module="rainopt|rainnet|data_tools")

# --- Look ---
html_theme = "furo"
html_title = f"rainopt {version}"
html_static_path = ["_static"]
html_css_files = ["rainopt.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "tango"
pygments_dark_style = "native"


def setup(app):
    """Take out what Sphinx 9 writes around the aliases of types that are one of several."""

    def plain(app, what, name, obj, options, *signature):
        return tuple(text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in signature)

    app.connect("autodoc-process-signature", plain)
