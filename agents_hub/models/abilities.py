"""What an agent works with beside remote servers: bots, workflows to run; and single tools that are switched off."""

from django.db import models

from agents_hub.models.agents import Agent


class AgentSubject(models.Model):
    """Something of a product's that an agent was given, such as a bot or another agent's workflow.

    `source` names who offers tools for it (`agents_hub.chat.sources`), `subject` is its id there. The rows live in
    other products, so one that is gone is noticed when the tools are asked for, and not here.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="subjects")
    source = models.SlugField(max_length=20)
    subject = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "source", "subject"], name="agent_subject_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.subject} for {self.agent}"


class SwitchedOff(models.Model):
    """A tool that an agent is not offered, though it comes with something the agent was given.

    `origin` is `server:<id>` for a remote server's, else the source's name; `tool` its name there.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="switched_off")
    origin = models.CharField(max_length=40)
    tool = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "origin", "tool"], name="switched_off_once")]

    def __str__(self) -> str:
        return f"{self.tool} of {self.origin} off for {self.agent}"
