"""The roof's start: what rooms declare becomes known to doors and pages."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps


class WebConfig(AppConfig):
    name = "yunhe.web"
    label = "web"
    verbose_name = "网页"

    def ready(self) -> None:
        from yunhe.kernel.nouns import declare_permissions
        from yunhe.ui.names import declare_names, declare_resolver
        from yunhe.web.names import EVIDENCE_KINDS, SOURCES, SUBJECT_TYPES, organization_names, role_names

        for config in apps.get_app_configs():
            if config.name.startswith("yunhe.") and find_spec(f"{config.name}.types"):
                permissions = getattr(import_module(f"{config.name}.types"), "PERMISSIONS", {})
                declare_names("permission", permissions)
                declare_permissions(permissions)
        declare_names("evidence_kind", EVIDENCE_KINDS)
        declare_names("subject_type", SUBJECT_TYPES)
        declare_names("evidence_source", SOURCES)
        declare_resolver("organization", organization_names)
        declare_resolver("role", role_names)
