"""Parameters in the caller's own words: Ark's names, which the core speaks, turned into those of the dialect."""

import re
from collections.abc import Mapping
from dataclasses import replace

from understudy.core.errors import Rejected, Violation
from understudy.core.task import Warned

_PARENT = re.compile(r"[.\[][^.\[]*$")


def spelled(param: str, names: Mapping[str, str]) -> str:
    """Return the dialect's name of a parameter: its own entry, or the nearest entry above it with the rest behind."""
    above = param
    while above:
        if above in names:
            return names[above] + param[len(above) :]
        parent = _PARENT.search(above)
        above = above[: parent.start()] if parent else ""
    return param


def media_names(index: int, kind: str, wire: str) -> dict[str, str]:
    """Return the entries for a media item that the dialect gives as a bare address. kind: "image_url" and kin."""
    paths = ("", ".role", f".{kind}", f".{kind}.url")
    return {f"content[{index}]{path}": wire for path in paths}


def renamed(violation: Violation, names: Mapping[str, str]) -> Violation:
    """Name the parameter as the caller does, in the sentence as well."""
    given = spelled(violation.param, names)
    if given == violation.param:
        return violation
    return replace(violation, param=given, message=_said(violation.message, violation.param, given))


def renamed_all(error: Rejected, names: Mapping[str, str]) -> Rejected:
    """Rename every violation of a refusal."""
    return Rejected(*(renamed(violation, names) for violation in error.violations))


def renamed_warnings(warnings: tuple[Warned, ...], names: Mapping[str, str]) -> tuple[Warned, ...]:
    """Rename what the core warns of, in the sentences as well."""
    return tuple([_renamed_warning(warned, names) for warned in warnings])


def _renamed_warning(warned: Warned, names: Mapping[str, str]) -> Warned:
    given = spelled(warned.param, names)
    return Warned(param=given, message=_said(warned.message, warned.param, given))


def _said(message: str, param: str, given: str) -> str:
    quoted = message.replace(f"`{param}`", f"`{given}`")
    return quoted.replace(f"the parameter {param} ", f"the parameter {given} ")
