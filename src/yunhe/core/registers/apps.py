from __future__ import annotations

from django.apps import AppConfig


class RegistersConfig(AppConfig):
    name = "yunhe.core.registers"
    label = "registers"
    verbose_name = "名录"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the slots of packs and cases."""
        from yunhe.core.cases import api as cases
        from yunhe.core.packs import api as packs
        from yunhe.core.registers import loaders
        from yunhe.core.registers.api import publishing
        from yunhe.core.registers.types import RegisterType

        # Before code sets and elements, which are entries of these types.
        packs.register_loader(
            section="registers", model=RegisterType, plan=loaders.plan_types, apply=loaders.apply_types, order=45
        )
        cases.register_subject(subject_type="register_entry", describe=publishing.describe)
        told = ("entry_id", "version")
        cases.register_effect(code="registers.publish", arguments=told, apply=publishing.publish)
        cases.register_effect(code="registers.reopen", arguments=told, apply=publishing.reopen)
        cases.register_effect(code="registers.resubmit", arguments=told, apply=publishing.resubmit)
