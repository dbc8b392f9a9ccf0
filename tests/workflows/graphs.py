"""Graphs for tests: one that can run, small parts of others, and random ones of both kinds."""

from typing import Any

from hypothesis import strategies as st

Parts = dict[str, Any]


def node(identifier: str, kind: str = "iris", **fields: Any) -> Parts:
    """A node with the least that its type needs."""
    properties: dict[str, Parts] = {
        "iris": {"instructions": "Look at the order."},
        "api": {"method": "GET", "url": "https://shop.example/orders"},
        "url": {"url": "https://shop.example"},
        "playwright_script": {"script": "await page.click('a')"},
        "output": {"outcomes": ["done"]},
    }
    return {"id": identifier, "name": identifier.title(), "type": kind, "properties": properties[kind]} | fields


def way(source: str, target: str, kind: str = "iris", **fields: Any) -> Parts:
    return {"id": f"{source}-{target}", "from": source, "to": target, "type": kind} | fields


def graph(*parts: Parts) -> Parts:
    """Nodes and transitions as they come; the first node is the start."""
    nodes = [part for part in parts if "from" not in part]
    transitions = [part for part in parts if "from" in part]
    nodes = [
        {**one, "is_start_node": number == 0} if "is_start_node" not in one else one for number, one in enumerate(nodes)
    ]
    return {"nodes": nodes, "transitions": transitions, "sticky_notes": []}


def sound() -> Parts:
    """An AI task, a request, and two ways to end."""
    return graph(
        node("read", properties={"instructions": "Read the order {{.order}} of {{.shop}}.", "tools": []}),
        node("ask", "api", properties={"method": "GET", "url": "https://shop.example/orders/{{.order}}"}),
        node("end", "output"),
        way("read", "ask"),
        way("ask", "end", "outcome_success"),
    )


@st.composite
def sound_graphs(draw: st.DrawFn) -> Parts:
    """Any graph that can run: each node has a way from an earlier one and one to the end. A request has one way on."""
    count = draw(st.integers(1, 8))
    names = [f"n{number}" for number in range(count)]
    kinds = [draw(st.sampled_from(["iris", "api", "url", "playwright_script"])) for _ in names]
    if count > 1 and kinds[0] == "api":
        kinds[0] = "url"
    nodes = [node(name, kind) for name, kind in zip(names, kinds, strict=True)] + [node("end", "output")]
    kind_of = dict(zip(names, kinds, strict=True))
    several = [name for name in names if kind_of[name] != "api"]
    pairs = set()
    for number in range(1, count):
        earlier = [name for name in several if name in names[:number]]
        pairs.add((draw(st.sampled_from(earlier)), names[number]))
    pairs |= {(name, draw(st.sampled_from([*several, "end"]))) for name in names if kind_of[name] == "api"}
    pairs |= {(name, "end") for name in several}
    if several:
        pairs |= set(draw(st.lists(st.tuples(st.sampled_from(several), st.sampled_from(names)), max_size=4)))
    selector = {"type": "selector", "name": "seen", "selector": "a"}
    how: dict[str, Parts] = {"iris": {}, "api": {"kind": "outcome_success"}}
    otherwise = {"kind": "selector", "properties": selector}
    return graph(
        *nodes,
        *(way(source, target, **how.get(kind_of[source], otherwise)) for source, target in sorted(pairs)),
    )
