from django.apps import AppConfig


class LlmConfig(AppConfig):
    name = "llm"
    verbose_name = "Models"

    def ready(self) -> None:
        from dashboard.navigation import Section, navigation

        navigation.add(Section.CONTROL_HUB, "Models", "llm:models", icon="llm/icons/models.svg", order=20)
