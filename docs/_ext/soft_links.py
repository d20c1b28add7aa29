"""What stands between single backticks is a link where the documentation has such a name, and code where not.

Docstrings name parameters and modules of the house as well as public functions; only the latter have pages. The role
is meant as `default_role`; explicit roles stay strict, so that ``-n`` tells of those that lead nowhere.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole


class SoftLink(SphinxRole):
    """A reference that may lead nowhere."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the reference, to be resolved when all pages are known."""
        within = {key: self.env.ref_context.get(key) for key in ("py:module", "py:class")}
        reference = addnodes.pending_xref(
            self.rawtext, refdomain="py", reftype="obj", reftarget=self.text, refexplicit=False, soft=True, **within
        )
        reference += nodes.literal(self.rawtext, self.text, classes=["xref", "py"])
        return [reference], []


def leave_as_code(app: Sphinx, env: Any, node: addnodes.pending_xref, contnode: nodes.Element) -> nodes.Element | None:
    """Return the text itself for a soft link that was not found."""
    return contnode if node.get("soft") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the role and what happens where nothing is found."""
    app.add_role("soft", SoftLink())
    app.connect("missing-reference", leave_as_code)
    return {"version": "1", "parallel_read_safe": True}
