from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "yunhe.ui"
    label = "ui"
    verbose_name = "界面"
