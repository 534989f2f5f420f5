from __future__ import annotations

from django.urls import path, register_converter

from yunhe.data.catalog.views import console, drafting, exporting


class ResourceCode:
    """A resource's code in an address: front, slash, sequence (307001/0021)."""

    regex = r"[0-9A-Z]+/[0-9]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ResourceCode, "resource_code")

app_name = "catalog"
urlpatterns = [
    path("", console.list_resources, name="list"),
    path("register/", drafting.register, name="register"),
    path("register/columns/", drafting.propose, name="propose"),
    path("<resource_code:code>/", console.resource_page, name="resource"),
    path("<resource_code:code>/compare/", console.compare, name="compare"),
    path("<resource_code:code>/contract.yml", exporting.contract_file, name="contract_file"),
    path("<resource_code:code>/fields.csv", exporting.fields_file, name="fields_file"),
    path("<resource_code:code>/edit/", drafting.edit, name="edit"),
    path("<resource_code:code>/submit/", drafting.submit, name="submit"),
    path("<resource_code:code>/withdraw/", drafting.withdraw, name="withdraw"),
    path("<resource_code:code>/<slug:tab>/", console.resource_page, name="tab"),
]
