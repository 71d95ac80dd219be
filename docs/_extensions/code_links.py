"""Inline code that names something of the reference becomes a link: `simulate`, `physics.Bonds`.

Links to Markdown that is no page, such as cards in data/, become downloads. Pages so stay plain
Markdown, which reads the same on GitHub.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode


def setup(app):
    """Register all."""
    app.connect("source-read", files_as_downloads)
    app.add_post_transform(CodeLinks)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}


FILE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+data/[^)]+\.md)\)")


def files_as_downloads(app, docname, source):
    """Sphinx takes every link to a .md file for one to a page."""
    source[0] = FILE.sub(r"{download}`\1 <\2>`", source[0])


class CodeLinks(SphinxPostTransform):
    """Wraps literals in references after the whole reference is known."""

    default_priority = 5

    def run(self, **kwargs):
        """Link the literals of one page."""
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, nodes.reference | nodes.title) or literal["classes"]:
                continue
            found = self.find(literal.astext().removesuffix("()"))
            if found is None:
                continue
            page, anchor, name = found
            link = make_refnode(
                self.app.builder, self.env.docname, page, anchor, literal.deepcopy(), name
            )
            literal.replace_self(link)

    def find(self, text):
        """Page, anchor and name of the object that a text names in full or without `gapscope.`."""
        objects = self.env.domains["py"].objects
        for name in (text, f"gapscope.{text}"):
            if name in objects and "." in name:
                return objects[name].docname, objects[name].node_id, name
        return None


def resolve(app, env, node, contnode):
    """A reference by a name's last parts, or through a module that the reference does not show."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target:
        return None
    objects = env.domains["py"].objects
    last = target.rpartition(".")[2]
    suffixes = [f".{target}"]
    if target.startswith("gapscope."):
        suffixes += [f".{'.'.join(target.split('.')[-2:])}", f".{last}"]
    for suffix in suffixes:
        names = [name for name in objects if name.endswith(suffix)]
        if len(names) == 1:
            found = objects[names[0]]
            return make_refnode(
                app.builder, node["refdoc"], found.docname, found.node_id, contnode, names[0]
            )
    return None
