from __future__ import annotations

from django.apps import AppConfig


class StandardsConfig(AppConfig):
    name = "yunhe.data.standards"
    label = "standards"
    verbose_name = "数据标准"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the slots of packs and of the fields of cases."""
        from yunhe.core.cases import api as cases
        from yunhe.core.packs import api as packs
        from yunhe.data.standards import fields, loaders

        cases.register_element(resolve=fields.resolve)

        packs.register_loader(
            section="code_sets", model=loaders.CodeSetDeclaration,
            plan=loaders.plan_code_sets, apply=loaders.apply_code_sets, order=50,
        )  # fmt: skip
        packs.register_loader(
            section="elements", model=loaders.ElementDeclaration,
            plan=loaders.plan_elements, apply=loaders.apply_elements, order=60,
        )  # fmt: skip
