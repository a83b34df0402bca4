"""Who does what: subjects, what they wear and do, the camera's verbs and the speakers, read piece by piece.

A shallow reading, the same for six languages: nouns and verbs in order, and small words that say what a noun is for
(``lexicon/role.toml``). It never fails; what it cannot place it leaves out.
"""

from collections.abc import Sequence

from understudy.engines.previz.art import find_art, named
from understudy.engines.previz.drafts import PROPERTIES, Draft, Mention, Reading
from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.lexicon.inflect import fold, singulars
from understudy.engines.previz.lexicon.match import Piece
from understudy.engines.previz.plan import Action, CameraMove
from understudy.engines.previz.quotations import SENTENCE_ENDS

SUBJECTS_MAX = 5
COUNT_MAX = 5
# A bare plural ("seagulls") says more than one; three are seen as many without hiding each other.
PLURAL_COUNT = 3
QUOTE_MARK = "\x00"
DENSE = ("zh", "ja")
ADJECTIVE_AFTER_NOUN = ("es", "pt", "id")
PERSON_WORDS = frozenset({"person", "man", "woman", "boy", "girl", "child"})


class Reader:
    """Reads pieces in order; ``reading`` is what came out."""

    def __init__(self, pieces: Sequence[Piece], negated: frozenset[int]) -> None:
        self._pieces, self._negated = pieces, negated
        self._drafts: list[Draft] = []
        self._props: list[str] = []
        self._mentions: list[Mention] = []
        self._speakers: list[Draft | None] = []
        self._camera: CameraMove | None = None
        self._last_clause: list[Draft] = []
        self._pending_wears: list[str] = []
        self._waiting_quotes: list[int] = []
        self._start_sentence()

    def _start_sentence(self) -> None:
        self._clause: list[Draft] = []
        self._is_camera = self._verb_seen = self._is_offscreen = self._has_speech = False
        self._fresh = True
        self._action: Action | None = None
        self._clear_phrase()

    def _clear_phrase(self) -> None:
        """Forget what only the current noun phrase needs."""
        self._role = self._kept_role = self._tint = ""
        self._count = 0
        self._determined = False
        self._unknown: list[Piece] = []
        self._noun: Draft | None = None
        self._noun_index = -9

    def reading(self) -> Reading:
        """Read everything."""
        for index, piece in enumerate(self._pieces):
            self._read(index, piece)
        self._settle_unknown(followed_by_verb=False)
        kept = self._drafts[:SUBJECTS_MAX]
        places = {id(draft): place for place, draft in enumerate(kept)}
        return Reading(
            subjects=tuple(draft.settled() for draft in kept),
            mentions=tuple(self._mentions),
            props=tuple(dict.fromkeys(self._props)),
            speakers=tuple(places.get(id(speaker)) for speaker in self._speakers),
            camera=self._camera,
        )

    def _read(self, index: int, piece: Piece) -> None:
        if piece.text == QUOTE_MARK:
            self._on_quote()
        elif piece.sort == "mark" and not piece.meanings:
            self._on_mark(piece)
        elif index in self._negated:
            self._settle_unknown(followed_by_verb=False)
            self._clear_phrase()
        elif piece.is_unknown:
            self._on_unknown(piece)
        else:
            self._on_known(index, piece)

    def _on_known(self, index: int, piece: Piece) -> None:
        self._note_speech(piece)
        roles = piece.meanings.get("role", ())
        if "camera" in roles and not self._on_camera(piece):
            return
        if self._is_verb(index, piece):
            self._on_verb(index, piece, roles)
        elif "art" in piece.meanings and "thin" not in roles and not self._is_property_name(index, piece):
            self._mention(piece, PROPERTIES)
            self._on_noun(index, piece)
        elif any(name in piece.meanings for name in PROPERTIES):
            self._on_property(index, piece)
        elif roles:
            self._on_role(index, piece, roles)
        else:
            self._on_detail(piece)

    # What a piece is.

    def _is_property_name(self, index: int, piece: Piece) -> bool:
        """Whether a word that is a thing and a property as well is meant as the property alone."""
        properties = set(piece.meanings)
        if properties & {"setting", "time", "weather", "particles", "framing"}:
            return piece.sort != "emoji" or kind_of(piece.meanings["art"][0]).name == "scenery"
        # A sound at the end of a list ("thunder, crickets") is heard; at the start of a prompt it may be who acts.
        following = self._next(index)
        acts = following is not None and "action" in following.meanings
        return "sound" in properties and not piece.means("sound", "gulls") and bool(self._drafts) and not acts

    def _next(self, index: int) -> Piece | None:
        return self._pieces[index + 1] if index + 1 < len(self._pieces) else None

    def _is_verb(self, index: int, piece: Piece) -> bool:
        meanings = piece.meanings
        if self._is_camera and "camera_verb" in meanings:
            return True
        if "action" not in meanings:
            return False
        if not {"art", "setting", "particles", "weather", "time", "season", "camera"} & set(meanings):
            return True
        # "A man waves" but "the waves", "waves crash": a word that is both is a verb right after who does it.
        after_subject = self._noun is not None or bool(self._clause and self._verb_seen)
        return after_subject and not self._determined and not self._role and not self._tint

    def _mention(self, piece: Piece, tables: Sequence[str], weight: int = 1) -> None:
        for name in tables:
            for value in piece.meanings.get(name, ()):
                self._mentions.append(Mention(table=name, value=value, place=piece.start, weight=weight))

    def _note_speech(self, piece: Piece) -> None:
        voices = piece.meanings.get("voice", ())
        if "offscreen" in voices and self._role != "place" and not (self._noun and self._role == ""):
            self._is_offscreen = True
        if "speech" in voices:
            self._has_speech = True
            if self._waiting_quotes and self._clause:
                self._assign_waiting(self._clause[0])

    # Marks and small words.

    def _on_mark(self, piece: Piece) -> None:
        self._settle_unknown(followed_by_verb=False)
        if piece.text in SENTENCE_ENDS:
            self._last_clause = self._clause or self._last_clause
            self._waiting_quotes = []
            self._start_sentence()
        elif piece.text not in "'\"()[]@#&*、" or piece.text == "(":
            self._soft_break()
        elif piece.text == "、":
            self._keep_role()

    def _soft_break(self) -> None:
        self._clear_phrase()
        self._fresh = True
        self._is_camera = False

    def _keep_role(self) -> None:
        role = self._role or self._kept_role
        self._clear_phrase()
        self._role = role

    def _on_camera(self, piece: Piece) -> bool:
        """The camera becomes who acts, unless a small word before it says otherwise. Returns whether to read on."""
        if any(name in piece.meanings for name in ("camera", "framing")):
            return True
        self._settle_unknown(followed_by_verb=False)
        if self._role == "" and (self._fresh or not self._clause):
            self._is_camera = True
        self._clear_phrase()
        return False

    def _on_role(self, index: int, piece: Piece, roles: Sequence[str]) -> None:
        if "pronoun" in roles:
            self._settle_unknown(followed_by_verb=False)
            self._clause = self._clause or list(self._last_clause) or self._drafts[:1]
            self._noun = self._clause[0] if self._clause else None
            self._is_camera = False
        elif "determiner" in roles:
            self._settle_unknown(followed_by_verb=False)
            self._determined, self._noun = True, None
        elif {"wear", "hold", "with", "place"} & set(roles):
            self._settle_unknown(followed_by_verb="wear" in roles or "hold" in roles)
            self._open_role(index, next(role for role in ("wear", "hold", "place", "with") if role in roles))
        elif "and" in roles:
            self._settle_unknown(followed_by_verb=False)
            self._keep_role()
        elif "clause" in roles:
            self._settle_unknown(followed_by_verb=False)
            self._soft_break()
        else:
            self._on_marker(piece, roles)

    def _on_marker(self, piece: Piece, roles: Sequence[str]) -> None:
        if "of" in roles:
            self._on_of()
        elif "inside_after" in roles:
            self._on_place_after()
        elif "copula" in roles:
            self._settle_unknown(followed_by_verb=True)
        elif "thin" in roles:
            self._unknown = []
            self._role = self._kept_role = ""
            self._determined, self._noun = False, None
        elif "links_modifier" in roles and piece.language == "zh" and self._role in ("wear", "hold"):
            self._role = ""

    def _open_role(self, index: int, role: str) -> None:
        """A role for the next noun; in Japanese, wearing and holding come after theirs."""
        noun, was = self._noun, self._noun_index
        self._clear_phrase()
        if role in ("wear", "hold") and self._pieces[index].language == "ja":
            if noun is not None and index - was <= 3:
                self._hand_over(noun)
            return
        self._role = role

    def _hand_over(self, noun: Draft) -> None:
        """Turn a thing that was read as a subject into what the subject wears or holds."""
        if noun in self._drafts and not noun.kind.is_living:
            self._drafts.remove(noun)
            self._clause = [draft for draft in self._clause if draft is not noun]
            if self._clause:
                self._clause[0].wears.append(noun.art)
            else:
                self._pending_wears.append(noun.art)

    def _on_of(self) -> None:
        """In "a bowl of cherries" the cherries matter: they take the place of the bowl."""
        self._unknown = []
        if self._noun and not self._noun.kind.is_living and self._noun in self._drafts:
            noun = self._noun
            self._drafts.remove(noun)
            self._clause = [draft for draft in self._clause if draft is not noun]
            self._props.append(noun.art)
            if not self._clause:
                self._verb_seen = False
        self._noun = None

    def _on_place_after(self) -> None:
        """Chinese and Japanese say after a noun that it is a place: it is no subject then, unless it lives."""
        noun = self._noun
        self._clear_phrase()
        if noun is None or noun not in self._drafts:
            return
        if not noun.kind.is_living and not noun.wears:
            self._drafts.remove(noun)
            self._props.append(noun.art)
            self._clause = [draft for draft in self._clause if draft is not noun]
        elif len(self._clause) > 1 and self._clause[-1] is noun:
            self._clause.pop()

    def _on_property(self, index: int, piece: Piece) -> None:
        """A place, a time, the weather ...: named more plainly after "in" than inside a compound."""
        following = self._next(index)
        is_compound = following is not None and "art" in following.meanings and piece.language == "en"
        by_role = self._role == "place" or (following is not None and following.means("role", "inside_after"))
        self._mention(piece, PROPERTIES, 1 if is_compound else 3 if by_role else 2)
        if is_compound:
            return
        if self._unknown and self._role == "":
            self._unknown = []
        self._action = None if not self._clause else self._action
        self._kept_role, self._role = self._role, ""
        self._tint, self._count, self._determined, self._noun = "", 0, False, None

    def _on_detail(self, piece: Piece) -> None:
        colours, counts = piece.meanings.get("colour", ()), piece.meanings.get("count", ())
        if colours and piece.language in ADJECTIVE_AFTER_NOUN and self._noun is not None:
            self._noun.tint = self._noun.tint or colours[0]
        elif colours and self._after_copula(piece) and self._clause:
            self._clause[0].tint = colours[0]
        elif colours:
            self._tint = colours[0]
        if counts:
            self._settle_unknown(followed_by_verb=False)
            self._count, self._determined, self._noun = int(counts[0]), True, None

    def _after_copula(self, piece: Piece) -> bool:
        place = next((index for index, other in enumerate(self._pieces) if other is piece), 0)
        return place > 0 and self._pieces[place - 1].means("role", "copula") and not self._determined

    # Verbs.

    def _on_verb(self, index: int, piece: Piece, roles: Sequence[str]) -> None:
        self._settle_unknown(followed_by_verb=True)
        self._mention(piece, ("sound",))
        if self._is_camera:
            self._on_camera_verb(piece)
        else:
            action = Action(piece.meanings["action"][0])
            if self._describes_next(index, piece):
                self._action = action if action is not Action.IDLE else self._action
            else:
                self._apply(action, piece)
        if not self._action:
            self._verb_seen = True
        held = next((role for role in ("wear", "hold") if role in roles), "")
        noun, was = self._noun, self._noun_index
        self._clear_phrase()
        if held and piece.language == "ja":
            if noun is not None and index - was <= 3:
                self._hand_over(noun)
        elif held:
            self._role = held
        if any(name in piece.meanings for name in ("setting", "weather")) and "art" not in piece.meanings:
            self._noun = None

    def _on_camera_verb(self, piece: Piece) -> None:
        moves = piece.meanings.get("camera_verb", ())
        if moves and self._camera is None:
            self._camera = CameraMove(moves[0])

    def _describes_next(self, index: int, piece: Piece) -> bool:
        """Whether the verb stands before its noun: "a sleeping baby", "奔跑的狗", "踊る猫"."""
        following = self._next(index)
        if following is None:
            return False
        noun_next = "art" in following.meanings or following.is_unknown or "colour" in following.meanings
        if piece.language in DENSE:
            linked = following.means("role", "links_modifier") and piece.language == "zh"
            return linked or (piece.language == "ja" and "art" in following.meanings and not self._clause)
        if piece.language != "en" or not fold(piece.text).split()[0].endswith(("ing", "ed", "en")):
            return False
        opens = self._determined or self._role != "" or self._tint != "" or (self._fresh and not self._noun)
        return noun_next and opens and not self._noun

    def _apply(self, action: Action, piece: Piece) -> None:
        """Give the action to who does it: the noun right before a participle, else the clause's subjects."""
        is_participle = piece.language == "en" and fold(piece.text).split()[0].endswith("ing")
        if self._noun is not None and (is_participle or not self._clause) and self._noun in self._drafts:
            targets = self._clause if self._noun in self._clause else [self._noun]
        else:
            targets = self._clause
        if not targets and self._last_clause and not self._fresh:
            targets = self._last_clause
        if not targets:
            self._action = action if action is not Action.IDLE else self._action
        for draft in targets:
            draft.acts(action)

    # Nouns.

    def _on_unknown(self, piece: Piece) -> None:
        if piece.sort == "word" and piece.text.isdigit():
            self._count = min(int(piece.text[:4]), COUNT_MAX) if int(piece.text[:4]) else 0
            return
        self._unknown.append(piece)

    def _settle_unknown(self, *, followed_by_verb: bool) -> None:
        """A noun phrase of unknown words ended: find a drawing by keywords, or take it as a figure of its own."""
        words, self._unknown = self._unknown, []
        if not words or self._is_camera:
            return
        starts = self._role == "" and not self._clause and (self._determined or (self._fresh and followed_by_verb))
        if not starts and not (self._role in ("wear", "hold", "with") and self._determined):
            return
        language = words[0].language or ("zh" if words[0].sort == "cjk" else "en")
        glue = "" if words[0].sort == "cjk" else " "
        text = glue.join(word.text for word in words)
        found = find_art(words[-1].text if glue else text, language) or ""
        if kind_of(found).name in ("body", "scenery"):
            found = ""
        if found or (starts and not self._drafts and (followed_by_verb or self._determined)):
            self._place_noun(found, words[-1].text if glue else text, many=False)

    def _is_plural(self, piece: Piece) -> bool:
        words = fold(piece.text).split()
        if piece.language == "id":
            parts = piece.text.casefold().split("-")
            return len(parts) == 2 and parts[0] == parts[1]
        if not words or piece.language not in ("en", "es", "pt"):
            return piece.text.endswith(("们", "たち", "群"))
        known = named(piece.language)
        stem = " ".join(words[:-1])
        return any(f"{stem} {form}".strip() in known for form in singulars(words[-1], piece.language)[1:])

    def _on_noun(self, index: int, piece: Piece) -> None:
        art_id = piece.meanings["art"][0]
        if piece.text.endswith(("'s", "’s")):
            self._determined = True
            return
        is_compound = (
            piece.language == "en" and self._noun is not None and self._noun_index == index - 1 and not self._role
        )
        if is_compound and self._noun in self._drafts:
            self._replace_modifier(art_id, piece)
        elif piece.language in ADJECTIVE_AFTER_NOUN and self._noun is not None and self._noun_index == index - 1:
            return
        else:
            self._unknown = []
            self._place_noun(art_id, piece.text, many=self._is_plural(piece))
        self._noun_index = index

    def _replace_modifier(self, art_id: str, piece: Piece) -> None:
        """In "robot dog" the dog is meant."""
        noun = self._noun
        if noun is None or noun.wears or not noun.is_vague:
            return
        if not kind_of(art_id).is_living and noun.kind.is_living:
            return
        noun.art, noun.word = art_id, f"{noun.word} {piece.text}"
        if noun.count == 1 and self._is_plural(piece):
            noun.count = PLURAL_COUNT

    def _place_noun(self, art_id: str, word: str, *, many: bool) -> None:
        """Put a noun where its role says: a subject, something worn or held, a prop."""
        kind = kind_of(art_id)
        role, self._role = self._role, ""
        self._kept_role = role
        owner = self._clause[0] if self._clause else None
        is_subject = kind.is_living or role == ""
        if kind.name in ("body", "scenery") and (self._drafts or role != "" or kind.name == "scenery"):
            self._drop_phrase()
        elif not is_subject and owner is None and role in ("wear", "hold"):
            self._pending_wears.append(art_id)
            self._drop_phrase()
        elif not is_subject and owner is not None and (role != "place" or kind.name == "worn"):
            owner.wears.append(art_id)
            self._drop_phrase()
        elif not is_subject or (role == "" and self._verb_seen and len(self._drafts) >= SUBJECTS_MAX - 2):
            self._props.append(art_id)
            self._drop_phrase()
        else:
            self._add_subject(art_id, word, role=role, many=many)

    def _drop_phrase(self) -> None:
        self._tint, self._count, self._determined, self._noun = "", 0, False, None
        self._action = None if self._clause else self._action

    def _add_subject(self, art_id: str, word: str, *, role: str, many: bool) -> None:
        draft = self._known(art_id) or Draft(art_id, word)
        if draft not in self._drafts:
            self._drafts.append(draft)
            draft.count = self._count or (PLURAL_COUNT if many else 1)
        draft.tint = draft.tint or self._tint
        if self._pending_wears:
            draft.wears += self._pending_wears
            self._pending_wears = []
        if self._action is not None and role in ("", "place", "with"):
            draft.acts(self._action)
            self._action = None
        if role == "":
            self._join_clause(draft)
        self._tint, self._count, self._determined = "", 0, False
        self._noun = draft
        self._noun_index = -9

    def _join_clause(self, draft: Draft) -> None:
        """A noun before the verb is who acts, together with those beside it; after the verb it is an object."""
        if self._fresh and self._verb_seen:
            self._clause, self._verb_seen = [], False
        if not self._verb_seen:
            if draft not in self._clause:
                self._clause.append(draft)
            self._fresh = self._is_camera = self._is_offscreen = False
        if self._waiting_quotes:
            self._assign_waiting(draft)

    def _known(self, art_id: str) -> Draft | None:
        """The subject that the noun names again: the same drawing, or "the man" for an old fisherman."""
        for draft in self._drafts:
            if draft.art == art_id and art_id:
                return draft
        if art_id in PERSON_WORDS and self._count == 0 and self._determined:
            people = [draft for draft in self._drafts if draft.kind.name == "person"]
            if art_id == "person" and people:
                return people[0]
        return None

    # Quotations.

    def _on_quote(self) -> None:
        self._settle_unknown(followed_by_verb=False)
        living = [draft for draft in self._clause if draft.kind.is_living]
        if self._is_offscreen:
            self._speakers.append(None)
        elif living:
            self._speakers.append(living[0])
        else:
            self._speakers.append(next(iter(self._last_clause or self._drafts), None))
            self._waiting_quotes.append(len(self._speakers) - 1)
        self._clear_phrase()
        self._fresh = self._verb_seen = True

    def _assign_waiting(self, draft: Draft) -> None:
        """A speaker that is named after the line: "Hello," says the man."""
        if self._has_speech:
            for place in self._waiting_quotes:
                self._speakers[place] = draft
            self._waiting_quotes = []
