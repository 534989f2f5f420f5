"""Pages of notices, preferences, addresses and webhooks."""

from yunhe.core.notices.views.contacts import change_contact, remove_contact, resend_code, verify_contact
from yunhe.core.notices.views.mailbox import list_former, list_notices, open_notice, read_all, read_former, read_notice
from yunhe.core.notices.views.preferences import show_preferences
from yunhe.core.notices.views.webhooks import list_webhooks, register_webhook, remove_webhook

__all__ = [
    "change_contact",
    "list_former",
    "list_notices",
    "list_webhooks",
    "open_notice",
    "read_all",
    "read_former",
    "read_notice",
    "register_webhook",
    "remove_contact",
    "remove_webhook",
    "resend_code",
    "show_preferences",
    "verify_contact",
]
