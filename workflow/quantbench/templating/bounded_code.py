"""Compiles a template so that it counts its own work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame


class BoundedCode(CodeGenerator):
    """Jinja2's compiler, which adds a step to every block and measures what no hook of the environment sees."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """The body of a loop, a branch, a macro."""
        self.writeline("environment.step()")
        super().blockvisit(nodes, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        """A loop with a condition goes over what it leaves out, too."""
        node.iter = _measured(cast(nodes.Expr, node.iter))
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        """Texts joined by ``~``."""
        node.nodes = [_measured(part) for part in node.nodes]
        super().visit_Concat(node, frame)

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """Also ``in``, which reads all of a text."""
        node.expr = _measured(node.expr)
        for operand in node.ops:
            operand.expr = _measured(operand.expr)
        super().visit_Compare(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """A slice is a copy."""
        if isinstance(node.arg, nodes.Slice):
            node.node = _measured(node.node)
        super().visit_Getitem(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        """A key is gone over as a whole."""
        for item in node.items:
            item.key = _measured(item.key)
        super().visit_Dict(node, frame)


def _measured(node: nodes.Expr) -> nodes.Expr:
    attribute = nodes.EnvironmentAttribute("measured", lineno=node.lineno)
    return nodes.Call(attribute, [node], [], None, None, lineno=node.lineno)
