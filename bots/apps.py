from django.apps import AppConfig


class BotsConfig(AppConfig):
    name = "bots"
    verbose_name = "Bots"

    def ready(self) -> None:
        from bots import subjects
        from bots.pages import home
        from dashboard.jump import jump_list
        from dashboard.navigation import Section, navigation
        from dashboard.panels import home_panels

        navigation.add(Section.MAIN, "Bots", "bots:list", icon="dashboard/icons/bot.svg", order=10)
        jump_list.add("Bots", home.places)
        subjects.add()
        home_panels.add("bots/home_panel.html", home.panel, order=10)
