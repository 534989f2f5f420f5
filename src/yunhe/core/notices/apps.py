from __future__ import annotations

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "yunhe.core.notices"
    label = "notices"
    verbose_name = "通知"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the slots of jobs, of the outbox and of the page's head, and this room's own."""
        from yunhe.core.jobs.api import outbox
        from yunhe.core.notices.api import delivery, registry, sending
        from yunhe.core.notices.channels import email, sms, webhook
        from yunhe.core.notices.jobs import register_jobs
        from yunhe.core.notices.panels import bell
        from yunhe.ui.panels import register_panel

        for channel in (email, sms, webhook):
            registry.register_channel(channel.CHANNEL)
        registry.register_kind(
            code="platform.message", title={"zh": "平台消息", "en": "Platform message"}, default_channels=("in_app", "email")
        )
        register_jobs()
        outbox.subscribe(topic=sending.TOPIC, handler=delivery.hand_over, title=delivery.TITLE, forget=delivery.forget)
        outbox.subscribe(topic=delivery.TOPIC_GIVEN_UP, handler=delivery.keep_dead_letter, title=delivery.TITLE)
        outbox.subscribe(topic=delivery.TOPIC_GIVEN_UP, handler=delivery.note_dead_letter, title=delivery.NOTE_TITLE)
        for topic in (sending.TOPIC, delivery.TOPIC_GIVEN_UP):
            outbox.describe(topic=topic, tell=delivery.tell_about)
        register_panel("page.head", name="notices", template="notices/bell.html", load=bell, permission="signed_in")
