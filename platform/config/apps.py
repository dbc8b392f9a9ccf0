from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = "Platform"

    def ready(self) -> None:
        # Whoever sends a task, a request as much as a worker, sends it to our broker.
        from config import celery  # noqa: F401
