from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts.plan_catalogue import fill_catalogue

        post_migrate.connect(fill_catalogue, sender=self, dispatch_uid="plan catalogue")
