from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "yunhe.core.keys"
    label = "keys"
    verbose_name = "密钥"
    default_auto_field = "django.db.models.BigAutoField"
