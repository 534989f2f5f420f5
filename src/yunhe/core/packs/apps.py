from django.apps import AppConfig


class PacksConfig(AppConfig):
    name = "yunhe.core.packs"
    label = "packs"
    verbose_name = "能力包"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.packs.loaders import register_loaders

        register_loaders()
