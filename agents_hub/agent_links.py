"""What else can be looked at of an agent: each app that has pages of agents adds its own when it is ready."""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


class AgentLinks:
    """Labels by the names of their addresses, which take the agent's id alone."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}

    def add(self, label: str, url_name: str) -> None:
        if url_name in self._labels:
            raise ValueError(f"An agent's page already has a link to {url_name}.")
        self._labels[url_name] = label

    def of(self, agent_id: UUID) -> list[Link]:
        return [Link(label, reverse(url_name, args=[agent_id])) for url_name, label in self._labels.items()]


agent_links = AgentLinks()
