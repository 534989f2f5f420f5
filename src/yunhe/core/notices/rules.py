"""Rules of telling people: pure functions over plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from yunhe.core.notices.errors import BadAddress, BadNotice
from yunhe.core.notices.types import Item, Language, Texts
from yunhe.kernel.clock import local

CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\Z")
TITLE_LENGTH, TEXT_LENGTH, HREF_LENGTH, KEY_LENGTH = 200, 4000, 500, 200
SMS_LENGTH = 300
MOST_NAMED, MOST_LETTERS = 5, 60
"""Of what one message tells together: how many by their titles, and how much of what each says."""

MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})\Z")  # source: the national numbering plan, 11 digits
ABROAD = re.compile(r"\+[1-9][0-9]{6,14}\Z")  # source: ITU-T E.164
MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?=.{4,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z")

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
CODE_PAUSE = timedelta(seconds=60)

# Services of clouds that give a machine's own credentials to whoever asks from it.
METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)
THIS_NETWORK = ip_network("0.0.0.0/8")
TRANSLATED = ip_network("64:ff9b::/96")  # source: RFC 6052
Address = IPv4Address | IPv6Address


def check_texts(*, title: Texts, text: Texts, href: str, key: str) -> None:
    """Do nothing if a notice can be shown and sent. Raises: BadNotice."""
    for where, texts, limit in (("title", title, TITLE_LENGTH), ("text", text, TEXT_LENGTH)):
        if "zh" not in texts or (where == "title" and not texts["zh"].strip()):
            raise BadNotice(where=f"{where}.zh", expected="a text", found="nothing")
        for language, said in texts.items():
            if len(said) > limit:
                raise BadNotice(where=f"{where}.{language}", expected=f"<= {limit}", found=len(said))
            if not _is_plain(said, lines=where == "text"):
                raise BadNotice(where=f"{where}.{language}", expected="text without control characters", found="one")
    if href and not is_local(href):
        raise BadNotice(where="href", expected="a path of this site", found=href[:60])
    if len(key) > KEY_LENGTH or not _is_plain(key, lines=False):
        raise BadNotice(where="key", expected=f"<= {KEY_LENGTH}", found=len(key))


def is_local(href: str) -> bool:
    """Tell whether an address leads nowhere but into this site."""
    plain = len(href) <= HREF_LENGTH and "\\" not in href and _is_plain(href, lines=False) and " " not in href
    return plain and href.startswith("/") and not href.startswith("//")


def spoken(texts: Mapping[str, str], language: str) -> str:
    """Return a text in a language, in Chinese where it has none."""
    return texts.get(language) or texts["zh"]


def after_quiet(at: datetime, *, start: time | None, end: time | None) -> datetime:
    """Return `at`, or the end of the quiet hours that it falls into.

    Units: [start, end) in wall time of China, over midnight where end is earlier; equal or missing: no quiet hours.
    """
    if start is None or end is None or start == end:
        return at
    here = local(at)
    clock = here.time().replace(tzinfo=None)
    over_night = start > end
    if not (clock >= start or clock < end if over_night else start <= clock < end):
        return at
    day = here.date() + timedelta(days=1) if over_night and clock >= start else here.date()
    fold = here.fold if day == here.date() else 0  # the second of two hours that a clock turned back shows alike
    return datetime.combine(day, end, tzinfo=here.tzinfo).replace(fold=fold).astimezone(at.tzinfo)


def check_mail(text: str) -> str:
    """Return an e-mail address as it is kept. Raises: BadAddress. Source: RFC 5321 4.1.2, without quoted names."""
    found = text.strip()
    if not MAIL.match(found) or ".." in found or found.startswith(".") or ".@" in found:
        raise BadAddress(expected_zh="如 name@example.org 的邮箱", expected_en="name@example.org", field="address")
    name, _, domain = found.rpartition("@")
    return f"{name}@{domain.lower()}"


def check_phone(text: str) -> str:
    """Return a mobile number as it is kept: 11 digits, or + and digits abroad. Raises: BadAddress."""
    found = re.sub(r"[ -]", "", text.strip())
    inland = MOBILE.match(found)
    if inland:
        return inland[1]
    if not ABROAD.match(found) or found.startswith("+86"):
        raise BadAddress(
            expected_zh="11 位手机号，或以 + 和国家代码开头的号码", expected_en="11 digits, or + and the country's code",
            field="address",
        )  # fmt: skip
    return found


def check_web(text: str) -> str:
    """Return a webhook's address as it is kept. Raises: BadAddress."""
    found = text.strip()
    try:
        url = urlsplit(found)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    plain = found.isascii() and found.isprintable() and " " not in found and len(found) <= HREF_LENGTH
    known = url.scheme in ("http", "https") and url.hostname and port != 0
    if not (plain and known) or url.username is not None or url.password is not None or url.fragment or "#" in found:
        raise BadAddress(expected_zh="http(s)://主机[:端口]/路径", expected_en="http(s)://host[:port]/path", field="address")
    return found


def mask_mail(address: str) -> str:
    """Return an e-mail address with one letter of the name left."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def mask_phone(number: str) -> str:
    """Return a number with the middle hidden. Shape: 138****5678."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 10 else f"{number[:2]}****{number[-2:]}"


def mask_web(address: str) -> str:
    """Return where a webhook leads without its path, which may hold a token."""
    return f"{origin_of(address)}/…"


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address, the port always written."""
    url = urlsplit(address)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def is_allowed(address: str, *, origins: str) -> bool:
    """Tell whether a webhook's origin stands in the list of the setting (by comma)."""
    allowed = {origin_of(part.strip().lower()) for part in origins.split(",") if part.strip()}
    return origin_of(address) in allowed


def forbidden_reason(address: str, *, port: int, is_own: bool, own_ports: frozenset[int]) -> tuple[str, str] | None:
    """Return why nothing may be sent to a resolved address (zh, en), or None.

    `is_own`: the address is one of this machine's.
    """
    found = _plain_address(ip_address(address.partition("%")[0]))
    if found in METADATA:
        return "地址属于云主机元数据服务", "the address is a cloud's metadata service"
    if found.is_link_local:
        return "地址是链路本地地址", "the address is link-local"
    nowhere = found.is_unspecified or found.is_multicast or (found.is_reserved and not found.is_loopback)
    if nowhere or found in THIS_NETWORK:
        return "地址不是一台主机", "the address is no single host's"
    if (is_own or found.is_loopback) and port in own_ports:
        return "端口属于本节点", "the port is this node's own"
    return None


def text_message(*, title: str, text: str, language: Language = "zh") -> str:
    """Return what an SMS says; who sends it stands first as carriers want it, in any language. Units: at most SMS_LENGTH characters."""
    between = {"zh": "：", "en": ": "}[language] if text else ""
    said = f"【运河】{title}{between}{text}".replace("\n", " ")
    return said if len(said) <= SMS_LENGTH else f"{said[: SMS_LENGTH - 1]}…"


def words_of_several(items: Sequence[Item], *, kind: Texts | None) -> tuple[Texts, Texts]:
    """Return title and text of a message that tells several notices: the first of them, and how many; all of one `kind` or of several.

    What all of them say alike is said once.
    """
    count, title = len(items), title_of_several(len(items), kind=kind)
    told: dict[str, str] = {}
    for language, (stop, more) in {"zh": ("；", f"；等 {count} 条"), "en": ("; ", f"; … {count} in all")}.items():
        said = {spoken(one.texts, language) for one in items}
        alike = next(iter(said)) if len(said) == 1 else ""
        lines = [_line(one, language, with_text=not alike) for one in items[:MOST_NAMED]]
        told[language] = stop.join(lines) + (more if count > MOST_NAMED else "") + (f"\n{alike}" if alike else "")
    return title, {language: text[:TEXT_LENGTH] for language, text in told.items()}


def title_of_several(count: int, *, kind: Texts | None) -> Texts:
    """Return what a message is called that tells several notices: all of one `kind`, or of several."""
    return {"zh": f"{kind['zh']}：{count} 条", "en": f"{kind['en']}: {count}"} if kind else {"zh": f"{count} 条通知", "en": f"{count} notices"}


def _line(item: Item, language: str, *, with_text: bool) -> str:
    title, text = spoken(item.titles, language), spoken(item.texts, language)
    if not with_text or not text.strip():
        return title
    short = text.replace("\n", " ")[:MOST_LETTERS]
    return f"{title}（{short}）" if language == "zh" else f"{title} ({short})"


def code_words(code: str, language: Language) -> tuple[str, str]:
    """Return title and text of the message with a code that verifies an address."""
    minutes = int(CODE_LIFE.total_seconds()) // 60
    if language == "en":
        return "Code", f"{code} is your code; it holds for {minutes} minutes. If you did not ask for it, ignore it."
    return "验证码", f"您的验证码是 {code}，{minutes} 分钟内有效。如非本人操作，请忽略。"


def _plain_address(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def _is_plain(text: str, *, lines: bool) -> bool:
    return all(
        letter >= " " and letter != "\x7f" and not "\ud800" <= letter <= "\udfff" and letter not in "\u2028\u2029\u0085"
        for letter in (text.replace("\n", "") if lines else text)
    )
