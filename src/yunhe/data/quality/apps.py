from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "yunhe.data.quality"
    label = "quality"
    verbose_name = "数据质量"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.data.quality.panels import resource_scores
        from yunhe.ui.panels import register_panel

        register_panel(
            "resource.main",
            name="quality",
            template="quality/panel.html",
            load=resource_scores,
            permission="quality.view",
            order=20,
        )
