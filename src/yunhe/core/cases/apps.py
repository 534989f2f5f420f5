from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "yunhe.core.cases"
    label = "cases"
    verbose_name = "办件"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the slots of packs, of jobs, of notices, of attachments and of the home page."""
        from yunhe.core.attachments import api as attachments
        from yunhe.core.cases import effects, loaders
        from yunhe.core.cases.api.announcing import still_theirs
        from yunhe.core.cases.api.filling import CASE
        from yunhe.core.cases.api.reading import may_see
        from yunhe.core.cases.api.telling import IN_ROUNDS, KINDS, URGENT
        from yunhe.core.cases.jobs import register_jobs
        from yunhe.core.cases.panels import accounts, cases, changes, letters
        from yunhe.core.cases.types import KindSpec
        from yunhe.core.notices import api as notices
        from yunhe.core.packs import api as packs
        from yunhe.ui.panels import register_panel

        packs.register_loader(
            section="calendars", model=loaders.CalendarRow, plan=loaders.plan_calendar, apply=loaders.apply_calendar, order=40
        )
        packs.register_loader(
            section="limits", model=loaders.LimitRow, plan=loaders.plan_limits, apply=loaders.apply_limits, order=75
        )
        packs.register_loader(
            section="tables", model=loaders.TableModel, row_model=loaders.TableRow, plan=loaders.plan_tables,
            apply=loaders.apply_tables, order=76,
        )  # fmt: skip
        packs.register_loader(
            section="cases", model=KindSpec, plan=loaders.plan_kinds, apply=loaders.apply_kinds, order=80
        )
        attachments.register_subject(subject_type=CASE, may_read=may_see)
        notices.register_cases(find=letters.find_case)
        register_jobs()
        effects.register_effects()
        for code, title in KINDS.items():
            notices.register_kind(code=code, title=title, still=still_theirs, comes_in_rounds=code in IN_ROUNDS, urgent=URGENT.get(code))
        register_panel(
            "home.numbers",
            name="cases",
            template="components/kpis.html",
            load=cases.waiting_number,
            permission="cases.act",
            order=10,
        )
        register_panel(
            "account.main",
            name="cases",
            template="cases/waiting_about.html",
            load=accounts.waiting_about,
            permission="cases.act",
        )
        register_panel(
            "home.numbers",
            name="changes",
            template="components/kpis.html",
            load=changes.approvals_number,
            permission="cases.change",
            order=15,
        )
