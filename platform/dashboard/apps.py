from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        from dashboard.navigation import Section, anyone, navigation

        navigation.add(Section.MAIN, "Home", "dashboard:home", icon="dashboard/icons/home.svg", order=0)
        navigation.add(Section.CONTROL_HUB, "Audit", "dashboard:audit", icon="dashboard/icons/audit.svg", order=90)
        navigation.add(Section.HELP, "Docs", "dashboard:docs", icon="dashboard/icons/book.svg", shown_to=anyone)
        # The settings are accounts' own pages; accounts stands below the shell and cannot add them itself.
        navigation.add(Section.FOOT, "Settings", "accounts:settings", icon="dashboard/icons/settings.svg")
