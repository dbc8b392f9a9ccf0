from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "scheduling"
    verbose_name = "Schedules"

    def ready(self) -> None:
        from dashboard.navigation import Section, navigation
        from dashboard.panels import home_panels
        from scheduling.pages import home

        icon = "scheduling/icons/schedules.svg"
        navigation.add(Section.CONTROL_HUB, "Schedules", "scheduling:schedules", icon=icon, order=30)
        home_panels.add("scheduling/home_panel.html", home.panel, order=6)
