from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "yunhe.data.exchange"
    label = "exchange"
    verbose_name = "共享交换"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from yunhe.core.cases import api as cases
        from yunhe.core.evidence import api as evidence
        from yunhe.core.jobs import api as jobs
        from yunhe.core.jobs.api import outbox
        from yunhe.core.jobs.types import QUICK_QUEUE
        from yunhe.core.notices import api as notices
        from yunhe.data.catalog.api import registering
        from yunhe.data.exchange import api, effects, sources
        from yunhe.data.exchange import jobs as exchange_jobs
        from yunhe.data.exchange.api.rights_image import TOPIC
        from yunhe.data.exchange.api.telling import GRANTED_AT_ONCE, ROLLED_BACK
        from yunhe.data.exchange.panels import describe_request, resource_users
        from yunhe.data.lake.types import TOPIC_ROLLED_BACK, TOPIC_SERVED
        from yunhe.ui.panels import register_panel

        register_panel(
            "resource.side",
            name="exchange",
            template="exchange/panel.html",
            load=resource_users,
            permission="exchange.view",
            order=10,
        )

        jobs.register_job(
            name="exchange.rights_image",
            run=exchange_jobs.beat,
            title={"zh": "更新网关权限映像", "en": "Renew the gateway's rights image"},
            permission="exchange.systems",
            every_seconds=5,
            queue=QUICK_QUEUE,
        )
        tell = {"zh": "告知使用单位数据已回退", "en": "Tell users of a roll-back"}
        renew = {"zh": "更新网关权限映像", "en": "Renew the gateway's rights image"}
        outbox.subscribe(topic=TOPIC, handler=exchange_jobs.on_change, title=renew)
        outbox.subscribe(topic=TOPIC_SERVED, handler=exchange_jobs.on_change, title=renew)
        outbox.subscribe(topic=TOPIC_ROLLED_BACK, handler=exchange_jobs.on_rolled_back, title=tell)
        for topic in (TOPIC_SERVED, TOPIC_ROLLED_BACK):
            outbox.describe(topic=topic, tell=exchange_jobs.tell_about)
        notices.register_kind(code=ROLLED_BACK, title={"zh": "在用的数据发布回退", "en": "Data in use was rolled back"})
        notices.register_kind(code=GRANTED_AT_ONCE, title={"zh": "数据需求已自动授权", "en": "A data request was granted at once"})
        evidence.register_taker(name="exchange", take=api.note_calls)
        registering.register_watcher(name="exchange", tell=effects.resource_withdrawn)
        cases.register_subject(subject_type="data_resource", describe=describe_request)
        cases.register_effect(code="exchange.grant", arguments=(), apply=effects.grant)
        cases.register_source(code="exchange.value", arguments=sources.ARGUMENTS, fetch=sources.fetch_value)
