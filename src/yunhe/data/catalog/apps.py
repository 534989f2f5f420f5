from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "yunhe.data.catalog"
    label = "catalog"
    verbose_name = "数据目录"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the slots of packs and registers."""
        from django.urls import reverse

        from yunhe.core.packs import api as packs
        from yunhe.core.registers import api as registers
        from yunhe.data.catalog import loaders
        from yunhe.data.catalog.api import registering
        from yunhe.data.catalog.panels import ledger_numbers
        from yunhe.data.catalog.types import RESOURCE_TYPE
        from yunhe.ui.panels import register_panel

        register_panel(
            "home.numbers", name="catalog", template="components/kpis.html", load=ledger_numbers, permission="ledger.view", order=20
        )
        packs.register_loader(
            section="resources", model=loaders.ContractFile, plan=loaders.plan_contracts, apply=loaders.apply_contracts, order=90
        )
        registers.register_handler(
            type_code=RESOURCE_TYPE,
            check=registering.check_body,
            published=registering.note_published,
            withdrawn=registering.note_withdrawn,
            page=lambda code: reverse("catalog:resource", args=[code]),
        )
