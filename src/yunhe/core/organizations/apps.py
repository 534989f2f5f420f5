from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "yunhe.core.organizations"
    label = "organizations"
    verbose_name = "机构人员"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.organizations.panels import numbers
        from yunhe.ui.panels import register_panel

        register_panel(
            "home.numbers",
            name="organizations",
            template="components/kpis.html",
            load=numbers,
            permission="organizations.manage",
            order=50,
        )
