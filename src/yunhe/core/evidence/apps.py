from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "yunhe.core.evidence"
    label = "evidence"
    verbose_name = "存证"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.evidence.panels import newest_acts
        from yunhe.ui.panels import register_panel

        register_panel(
            "home.side",
            name="evidence",
            template="evidence/panel.html",
            load=newest_acts,
            permission=("evidence.view", "evidence.view_own"),
            order=80,
        )
