"""What a prompt says is not there: "no rain or wind", "没有音乐", "雨なし"."""

from collections.abc import Sequence

from understudy.reading.phrases import Piece

# Properties that a piece can name; a piece that turns out to be a verb names none of them but its sound.
PROPERTIES = (
    "setting", "time", "weather", "season", "particles", "camera", "framing", "sound", "style", "mood", "ratio",
    "aerial",
)  # fmt: skip
_CONTENT = frozenset({*PROPERTIES, "art", "action", "camera_verb", "colour"})


def negated_pieces(pieces: Sequence[Piece]) -> frozenset[int]:
    """Return the indices of what the prompt says is not there: "no rain or wind", "没有音乐", "雨なし"."""
    found: set[int] = set()
    is_active = had_content = is_linked = False
    for index, piece in enumerate(pieces):
        roles = set(piece.meanings.get("role", ()))
        if "negation_after" in roles:
            found.update(_content_before(pieces, index))
        elif "negation" in roles:
            is_active, had_content, is_linked = True, False, False
        elif is_active and _is_over(piece, roles, had_content=had_content, is_linked=is_linked):
            is_active = False
        elif is_active and "and" in roles:
            is_linked = True
        elif is_active and not _CONTENT.isdisjoint(piece.meanings):
            found.add(index)
            # "Don't show any people": the verb is not what is missing.
            had_content, is_linked = not piece.means("action", "idle"), False
    return frozenset(found)


def _is_over(piece: Piece, roles: set[str], *, had_content: bool, is_linked: bool) -> bool:
    """Whether a negation ends before the piece: at a mark, a small word, or past what it negates.

    "No rain or wind" goes on, "no rain and a sunny sky" does not; "no falling rain" does, "no hat running" does not.
    """
    is_content = not _CONTENT.isdisjoint(piece.meanings)
    if piece.sort == "mark" or {"clause"} & roles or (not is_content and {"place", "with"} & roles):
        return True
    if not had_content or "and" in roles:
        return False
    if is_linked:
        return "determiner" in roles or not is_content
    return not is_content or "action" in piece.meanings


def _content_before(pieces: Sequence[Piece], index: int) -> set[int]:
    """The nearest named things before a negation that follows them, within the clause."""
    found: set[int] = set()
    for place in range(index - 1, max(index - 6, -1), -1):
        piece = pieces[place]
        if piece.sort == "mark" and not piece.meanings:
            break
        if not _CONTENT.isdisjoint(piece.meanings):
            found.add(place)
            if not (place and pieces[place - 1].means("role", "and")):
                break
    return found
