"""The types of nodes and what carries each out. A type that nothing here carries out fails the run and says so."""

from workflows.engine.work import NodeKind
from workflows.graph.shapes import NodeType


class Kinds:
    """By type. Filled while Django starts, read-only afterwards."""

    def __init__(self) -> None:
        self._kinds: dict[NodeType, NodeKind] = {}

    def add(self, node_type: NodeType, kind: NodeKind) -> None:
        if node_type in self._kinds:
            raise ValueError(f"Nodes of type {node_type} are carried out by something already.")
        self._kinds[node_type] = kind

    def find(self, node_type: NodeType) -> NodeKind | None:
        return self._kinds.get(node_type)


kinds = Kinds()
