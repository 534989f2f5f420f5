"""Django's settings, derived from the settings table; nothing here is set by hand elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from yunhe.settings.table import read_database_url, read_settings

YUNHE = read_settings()
HOME: Path = YUNHE["HOME"]
PACKAGE = Path(__file__).resolve().parent.parent


def _secret_key() -> str:
    """Derive Django's key from the node's key file; before `yunhe init` it lives one process long."""
    try:
        material = (HOME / "keys" / "node.key").read_bytes()
    except OSError:
        return secrets.token_hex(32)
    return hmac.new(material, b"yunhe.settings.django", hashlib.sha256).hexdigest()


def _database() -> dict[str, object]:
    if YUNHE["PROFILE"] == "embedded":
        return {
            "ENGINE": "yunhe.settings.sqlite",
            "NAME": str(HOME / "control.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: a durable evidence row must survive a power cut (architecture 7). The log goes into the file every
                # 32 MB, not every 4: a step writes some 30 pages, mostly the same ones, and moving them is what waits for the disk.
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=8000;"
                "PRAGMA busy_timeout=20000;PRAGMA foreign_keys=ON;",
            },
        }
    address = read_database_url(YUNHE["DATABASE"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "OPTIONS": dict(address.options),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = _secret_key()
DEBUG = YUNHE["DEBUG"]
ALLOWED_HOSTS = [name.strip() for name in YUNHE["ALLOWED_HOSTS"].split(",") if name.strip()]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "organizations.User"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "yunhe.ui",
    "yunhe.core.keys",
    "yunhe.core.evidence",
    "yunhe.core.jobs",
    "yunhe.core.organizations",
    "yunhe.core.attachments",
    "yunhe.core.packs",
    "yunhe.core.notices",
    "yunhe.core.cases",
    "yunhe.core.registers",
    "yunhe.data.standards",
    "yunhe.data.catalog",
    "yunhe.data.quality",
    "yunhe.data.lake",
    "yunhe.data.exchange",
    "yunhe.web",
]
MIDDLEWARE = [
    "yunhe.ui.middleware.TraceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "yunhe.ui.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "yunhe.ui.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "yunhe.core.organizations.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "yunhe.ui.middleware.ProblemMiddleware",
]
ROOT_URLCONF = "yunhe.web.urls"
WSGI_APPLICATION = "yunhe.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "yunhe.web.context.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "yunhe.ui.templatetags.yh"],
        },
    },
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "ui" / "locale"]
LANGUAGE_COOKIE_NAME = "yunhe_language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_NAME = "yunhe_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = YUNHE["HTTPS"]
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "yunhe.ui.problems.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "yunhe.ui.logs.JsonFormatter"},
        "text": {"()": "yunhe.ui.logs.TextFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": YUNHE["LOG"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "pyiceberg": {"level": "WARNING"},
        "sqlglot": {"level": "ERROR"},
    },
}
