"""Print the settings table as a page (`python -m yunhe.settings.reference > docs/settings.md`)."""

from __future__ import annotations

from yunhe.settings.table import PREFIX, TABLE, Setting

_HEAD = """# Settings

Generated from `src/yunhe/settings/table.py` by `make docs`; a test fails when the two differ.

A value comes from, in this order: the environment variable, the file that `NAME_FILE` in the environment
points at, `yunhe.toml` in the node's home (key in small letters, without the prefix), the default.
An unknown name or a malformed value stops the start and says which. `yunhe doctor --settings` shows what holds.

| name | default | unit | what it takes | what it is |
| --- | --- | --- | --- | --- |
"""


def render_settings() -> str:
    """Return docs/settings.md."""
    return _HEAD + "".join(_row(setting) for setting in TABLE)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    cells = (f"`{PREFIX}{setting.name}`", default, setting.unit, setting.expected, setting.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    print(render_settings(), end="")
