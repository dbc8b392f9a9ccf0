from django.apps import AppConfig


class AgentsHubConfig(AppConfig):
    name = "agents_hub"
    verbose_name = "Agents"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from agents_hub.agent_links import agent_links
        from agents_hub.chat.own_tools import OwnTools
        from agents_hub.chat.sources import sources
        from agents_hub.files.content import forget_with_its_row
        from agents_hub.models import Attachment, SharedFile, StagedFile
        from agents_hub.pages import agents, profiles, tasks
        from agents_hub.pages.chat import shell
        from dashboard.jump import jump_list
        from dashboard.navigation import Section, navigation
        from dashboard.panels import home_panels
        from scheduling.registry import kinds

        navigation.add(Section.MAIN, "Chat", "chat:list", icon="agents_hub/icons/chat.svg", order=5)
        navigation.add(Section.MAIN, "Agents", "agents:list", icon="agents_hub/icons/agent.svg", order=20)
        navigation.add(
            Section.MAIN, "Browser profiles", "agents:profiles", icon="agents_hub/icons/profile.svg", order=25
        )
        navigation.add(
            Section.HELP, "Connect a client", "agents:connect", icon="agents_hub/icons/connect.svg", order=90
        )
        kinds.add(tasks.KIND)
        sources.add(OwnTools("bots", "Bots"))
        jump_list.add("Talk to", shell.agents)
        jump_list.add("Conversations", shell.conversations)
        jump_list.add("Agents", agents.places)
        jump_list.add("Browser profiles", profiles.places)
        home_panels.add("agents_hub/chat/home_panel.html", shell.panel, order=8)
        agent_links.add("Talk to it", "chat:begin")
        for model in (Attachment, SharedFile, StagedFile):
            post_delete.connect(forget_with_its_row, sender=model, dispatch_uid=f"{model.__name__} content")
