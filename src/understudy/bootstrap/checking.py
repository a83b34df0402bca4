"""Settings that contradict each other or name what is not there, told before anything is opened."""

import re
from dataclasses import replace

from understudy.bootstrap.plugins import configured, find_engine
from understudy.catalog.load import load_catalogue
from understudy.core.ports import EngineOffer
from understudy.dialects.select import MOUNTS
from understudy.server.auth import KEY_CHARS_MAX
from understudy.settings import Settings, SettingsError

SECRET_CHARS_MIN = 32
API_KEY_CHARS_MIN = 20
_API_KEY = re.compile(f"[!-~]{{{API_KEY_CHARS_MIN},{KEY_CHARS_MAX}}}")
SHARED_NEEDS = (
    ("secret", "all servers of a database sign with the same"),
    ("blobs", "what one of them stores the others send"),
)


def chosen_engine(settings: Settings) -> EngineOffer:
    """Return the engine's offer as the settings make it.

    Raises: SettingsError.
    """
    engine = configured(find_engine(settings.engine), settings)
    return engine if settings.rehearsal else replace(engine, rehearse=None)


def check(settings: Settings) -> None:
    """Refuse settings that cannot be meant.

    Raises: SettingsError.
    """
    if settings.price_book not in load_catalogue().books:
        raise SettingsError(f"There is no price book {settings.price_book!r}.")
    if settings.dialect and settings.dialect not in MOUNTS:
        raise SettingsError(f"There is no dialect {settings.dialect!r}; there are {', '.join(MOUNTS)}.")
    if settings.secret and len(settings.secret) < SECRET_CHARS_MIN:
        raise SettingsError(f"The setting secret must have at least {SECRET_CHARS_MIN} characters.")
    if settings.first_api_key and not _API_KEY.fullmatch(settings.first_api_key):
        message = (
            f"The setting first_api_key must have {API_KEY_CHARS_MIN} to {KEY_CHARS_MAX} ASCII characters, no spaces."
        )
        raise SettingsError(message)
    for name in ("link_lifetime_s", "record_retention_s"):
        if getattr(settings, name) < 0:
            raise SettingsError(f"The setting {name} must not be negative; 0 = without end.")
    _check_shared(settings)


def _check_shared(settings: Settings) -> None:
    if not settings.database:
        if not settings.slots:
            raise SettingsError("The setting slots is 0, but without a database nobody else can render.")
        return
    for name, why in SHARED_NEEDS:
        if not getattr(settings, name):
            raise SettingsError(f"With the setting database, {name} has to be set as well: {why}.")
    if settings.rehearsal_clock:
        raise SettingsError(
            "The rehearsal clock is one server's own: it cannot be moved for a database that others use."
        )


def check_worker(settings: Settings) -> None:
    """Refuse what cannot be meant for a worker, besides.

    Raises: SettingsError.
    """
    if not settings.database:
        raise SettingsError("A worker needs the setting database: it takes its tasks from there.")
    if not settings.slots:
        raise SettingsError("A worker with the setting slots at 0 would do nothing.")
