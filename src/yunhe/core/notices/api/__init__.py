"""Notices (通知): telling people things, on the page and through the outbox; see docs/adr/0009-notices.md."""

from yunhe.core.notices.api.contacts import (
    list_contacts,
    list_webhooks,
    propose_contact,
    register_webhook,
    remove_contact,
    remove_webhook,
    resend_code,
    verify_contact,
)
from yunhe.core.notices.api.mailbox import (
    count_former,
    count_unread,
    list_elsewhere,
    list_former,
    list_notices,
    mark_all_read,
    mark_former_read,
    mark_read,
    open_notice,
)
from yunhe.core.notices.api.preferences import get_preferences, list_failures, set_preferences
from yunhe.core.notices.api.registry import (
    find_channel,
    list_channels,
    list_kinds,
    register_cases,
    register_channel,
    register_kind,
    register_sms,
)
from yunhe.core.notices.api.sending import find_systems, last_sent, send

__all__ = [
    "count_former",
    "count_unread",
    "find_channel",
    "find_systems",
    "get_preferences",
    "last_sent",
    "list_channels",
    "list_contacts",
    "list_elsewhere",
    "list_failures",
    "list_former",
    "list_kinds",
    "list_notices",
    "list_webhooks",
    "mark_all_read",
    "mark_former_read",
    "mark_read",
    "open_notice",
    "propose_contact",
    "register_cases",
    "register_channel",
    "register_kind",
    "register_sms",
    "register_webhook",
    "remove_contact",
    "remove_webhook",
    "resend_code",
    "send",
    "set_preferences",
    "verify_contact",
]
