"""What a failure of the network or of a mail server is called; never its own text, which may repeat an address."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping

from yunhe.core.notices.errors import ChannelUnavailable

# The first class that fits counts, so the narrower stands before the wider.
REASONS: Mapping[type[BaseException], tuple[str, str]] = {
    ssl.SSLCertVerificationError: ("对方证书不受信任", "its certificate is not trusted"),
    ssl.SSLError: ("加密连接没有建立", "no encrypted connection came about"),
    socket.gaierror: ("找不到主机", "there is no such host"),
    ConnectionRefusedError: ("连接被拒绝", "the connection was refused"),
    TimeoutError: ("没有按时应答", "it did not answer in time"),
    smtplib.SMTPAuthenticationError: ("登录邮件服务器没有成功", "signing in at the mail server failed"),
    smtplib.SMTPNotSupportedError: ("没有所要求的加密，不发送", "it lacks the encryption asked for, so nothing is sent"),
    smtplib.SMTPSenderRefused: ("不接受发件人", "it refuses the sender"),
}
BROKEN_OFF = ("连接中断", "the connection broke off")


def unavailable(where: str, error: BaseException) -> ChannelUnavailable:
    """Return that a place does not answer, and should rest."""
    zh, en = next((words for kind, words in REASONS.items() if isinstance(error, kind)), BROKEN_OFF)
    return ChannelUnavailable(where=where, reason_zh=zh, reason_en=en, rest=True)


def busy(where: str, status: str) -> ChannelUnavailable:
    """Return that a place answered, and not for now."""
    return ChannelUnavailable(where=where, reason_zh=status, reason_en=status)
