from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    name = "yunhe.core.attachments"
    label = "attachments"
    verbose_name = "附件"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.attachments.jobs import register_jobs

        register_jobs()
