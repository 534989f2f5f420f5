from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "yunhe.core.jobs"
    label = "jobs"
    verbose_name = "作业"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.jobs.jobs import register_jobs

        register_jobs()

        from yunhe.core.jobs.panels import my_jobs
        from yunhe.ui.panels import register_panel

        register_panel(
            "home.side", name="jobs", template="jobs/panel.html", load=my_jobs, permission="jobs.view", order=50
        )
