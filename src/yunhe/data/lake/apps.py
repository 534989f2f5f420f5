from django.apps import AppConfig


class LakeConfig(AppConfig):
    name = "yunhe.data.lake"
    label = "lake"
    verbose_name = "数据湖"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.jobs import api as jobs
        from yunhe.core.jobs.types import SERVING_QUEUE
        from yunhe.core.notices import api as notices
        from yunhe.data.lake import effects
        from yunhe.data.lake import jobs as lake_jobs
        from yunhe.data.lake.panels import resource_loads
        from yunhe.ui.panels import register_panel

        register_panel(
            "resource.side", name="lake", template="lake/panel.html", load=resource_loads, permission="lake.view", order=20
        )

        jobs.register_job(
            name="lake.load",
            run=lake_jobs.load,
            title={"zh": "装载数据", "en": "Load data"},
            permission="lake.load",
            limit_seconds=6 * 3600,
            attempts=4,
        )
        jobs.register_job(
            name="lake.serving",
            run=lake_jobs.build_serving,
            title={"zh": "生成服务文件", "en": "Build the serving file"},
            permission="lake.load",
            limit_seconds=6 * 3600,
            queue=SERVING_QUEUE,
        )
        jobs.register_job(
            name="lake.roll_back",
            run=lake_jobs.roll_back,
            title={"zh": "回退发布", "en": "Roll a release back"},
            permission="lake.load",
        )
        jobs.register_job(
            name="lake.check_returns",
            run=lake_jobs.check_returns,
            title={"zh": "核对退回数源的记录", "en": "Check records that were returned to their source"},
            permission="lake.load",
        )
        effects.register_effects()
        notices.register_kind(code="lake.returned", title={"zh": "记录退回数源", "en": "Records returned to their source"})
        jobs.register_job(
            name="lake.sweep",
            run=lake_jobs.sweep,
            title={"zh": "清理过期快照", "en": "Sweep old snapshots"},
            permission="lake.load",
            every_seconds=3600,
        )
