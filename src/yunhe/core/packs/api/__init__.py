"""Packs (能力包): folders of declarations that add a system without code."""

from yunhe.core.packs.api.files import find_pack_folder
from yunhe.core.packs.api.loading import check_pack, list_packs, load_pack, read_declaration
from yunhe.core.packs.api.registry import list_loaders, register_loader

__all__ = [
    "check_pack",
    "find_pack_folder",
    "list_loaders",
    "list_packs",
    "load_pack",
    "read_declaration",
    "register_loader",
]
