"""Who does what: subjects, what they wear and do, the camera's verbs and the speakers, read piece by piece.

A shallow reading, the same for six languages: nouns and verbs in order, and small words that say what a noun is for
(``lexicon/role.toml``). It never fails; what it cannot place it leaves out. Nouns find their place in ``casting``.
"""

from collections.abc import Mapping, Sequence

from understudy.engines.previz.kinds import art_of_pronouns, kind_of
from understudy.engines.previz.plan import Action, CameraMove
from understudy.engines.previz.planning import wording
from understudy.engines.previz.planning.arranging import arrange
from understudy.engines.previz.planning.casting import SHOWN_MAX, SUBJECTS_MAX, Cast, Phrase
from understudy.engines.previz.planning.drafts import Draft, Mention, Reading
from understudy.engines.previz.planning.shown import Shown
from understudy.engines.previz.planning.speakers import Speakers
from understudy.reading.lexicon.inflect import fold
from understudy.reading.negations import PROPERTIES
from understudy.reading.phrases import Piece
from understudy.reading.quotations import SENTENCE_ENDS
from understudy.reading.references import Naming, is_mark

COUNT_MAX = 5
QUOTE_MARK = "\x00"
HEAD_FIRST = ("es", "pt", "id")
"""Languages whose adjectives and second nouns follow what they describe."""

# Marks that neither end a clause nor stand between its words.
_FAINT_MARKS = frozenset("'\")[]@#&*’‘”")
# A word that is a verb and one of these is a verb only right after who does it.
_PROPERTIES = frozenset(PROPERTIES)
_DRIFTING = frozenset({"particles", "weather"})
_NOUN_TABLES = frozenset({"art", "setting", "particles", "weather", "time", "season", "camera"})
# How many pieces may stand between a Japanese noun and the verb that says it is worn.
_WORN_WITHIN = 3
# "カメラに向かって": towards the camera.
_TOWARDS = ("に", "へ", "を")


class Reader:
    """Reads pieces in order; ``reading`` is what came out.

    namings: mark -> the given media it stands for. earlier: who was named in the shots before.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        negated: frozenset[int],
        *,
        namings: Mapping[str, Naming] | None = None,
        earlier: Sequence[Draft] = (),
    ) -> None:
        self._pieces, self._negated = pieces, negated
        self._namings = namings or {}
        self._cast = Cast(earlier)
        self._shown = Shown()
        self._phrase = Phrase()
        self._mentions: list[Mention] = []
        self._speakers = Speakers()
        self._camera: CameraMove | None = None
        self._is_camera = self._refers_back = False
        # Whether the clause is about what drifts or stands around, so that its verb is nobody's: "petals are falling".
        self._is_of_things = False

    def reading(self) -> Reading:
        """Read everything."""
        for index, piece in enumerate(self._pieces):
            self._read(index, piece)
        self._settle_unknown(followed_by_verb=False)
        self._cast.adopt_waiting()
        self._shown.settle(self._cast)
        shown = [draft for draft in self._cast.drafts[SUBJECTS_MAX:] if draft.images]
        kept = [*self._cast.drafts[:SUBJECTS_MAX], *shown][:SHOWN_MAX]
        arrange(self._pieces, kept)
        places = {id(draft): place for place, draft in enumerate(kept)}
        return Reading(
            subjects=tuple(draft.settled(places.get(id(draft.rides))) for draft in kept),
            drafts=tuple(kept),
            uses=self._shown.uses,
            setting_image=self._shown.setting,
            refers_back=self._refers_back,
            mentions=tuple(self._mentions),
            props=tuple(dict.fromkeys(self._cast.props)),
            speakers=tuple(places.get(id(speaker)) for speaker in self._speakers.found),
            unclaimed=frozenset(self._speakers.unclaimed),
            camera=self._camera,
        )

    def _read(self, index: int, piece: Piece) -> None:
        if piece.text == QUOTE_MARK:
            self._on_quote()
        elif is_mark(piece.text):
            self._on_given(index, self._namings.get(piece.text[0]))
        elif piece.sort == "mark" and not piece.meanings:
            self._on_mark(piece)
        elif index in self._negated:
            self._settle_unknown(followed_by_verb=False)
            self._phrase = Phrase()
        elif piece.is_unknown:
            self._on_unknown(piece)
        else:
            self._on_known(index, piece)

    def _on_known(self, index: int, piece: Piece) -> None:
        self._speakers.note(piece, self._next(index), phrase=self._phrase, cast=self._cast)
        for value in piece.meanings.get("implied_setting", ()):
            self._mentions.append(Mention(table="setting", value=value, place=piece.start, weight=0))
        roles = piece.meanings.get("role", ())
        if "camera" in roles and not {"camera", "framing"} & set(piece.meanings):
            self._on_camera(self._next(index))
        elif self._is_verb(index, piece):
            self._on_verb(index, piece, roles)
        elif (
            "art" in piece.meanings
            and "thin" not in roles
            and not wording.names_property(piece, self._next(index), is_first=not self._cast.drafts)
        ):
            self._mention(piece, PROPERTIES)
            self._on_noun(index, piece)
        elif not _PROPERTIES.isdisjoint(piece.meanings) or ("implied_setting" in piece.meanings and not roles):
            self._on_property(index, piece)
        elif roles:
            self._on_role(index, piece, roles)
        else:
            self._on_detail(index, piece)

    # What a piece is.

    def _next(self, index: int) -> Piece | None:
        return self._pieces[index + 1] if index + 1 < len(self._pieces) else None

    def _before(self, index: int) -> Piece | None:
        return self._pieces[index - 1] if index else None

    def _is_verb(self, index: int, piece: Piece) -> bool:
        meanings, phrase = piece.meanings, self._phrase
        if self._is_done_by_camera(index, piece):
            return True
        if "action" not in meanings:
            return False
        before = self._before(index)
        if piece.language == "en" and before is not None and before.means("role", "determiner"):
            # In "a walk" and "the jump" nothing is said to walk or jump, in "a walking man" it is.
            return wording.is_participle(piece)
        if not _NOUN_TABLES & set(meanings):
            return True
        # "A man waves" but "the waves", "waves crash".
        is_head_first = piece.language in HEAD_FIRST and not self._cast.is_fresh
        if before is not None and wording.stands_between(before, piece, self._next(index)):
            return True
        after_subject = phrase.noun is not None or bool(self._cast.clause and (self._cast.verb_seen or is_head_first))
        return after_subject and not (phrase.is_determined or phrase.role or phrase.tint)

    def _is_done_by_camera(self, index: int, piece: Piece) -> bool:
        """In "the camera follows" and "handheld shot following a cyclist" nobody else follows."""
        before = self._before(index)
        is_shot = before is not None and bool({"camera", "framing"} & set(before.meanings)) and not self._cast.clause
        return "camera_verb" in piece.meanings and (self._is_camera or is_shot)

    def _mention(self, piece: Piece, tables: Sequence[str], weight: int = 1) -> None:
        for name in tables:
            for value in piece.meanings.get(name, ()):
                self._mentions.append(Mention(table=name, value=value, place=piece.start, weight=weight))

    # Marks and small words.

    def _on_mark(self, piece: Piece) -> None:
        self._settle_unknown(followed_by_verb=False)
        if piece.text in SENTENCE_ENDS:
            self._speakers.start_sentence()
            self._cast.start_sentence()
            self._phrase = Phrase()
            self._is_camera = self._is_of_things = False
        elif piece.text == "、":
            self._keep_role()
        elif piece.text not in _FAINT_MARKS:
            self._soft_break()

    def _soft_break(self) -> None:
        self._phrase = Phrase()
        self._is_of_things = False
        self._cast.is_fresh = True
        self._is_camera = False

    def _keep_role(self) -> None:
        self._phrase = Phrase(self._phrase.role or self._phrase.kept_role)

    def _on_camera(self, following: Piece | None) -> None:
        """The camera becomes who acts, unless someone else does or a small word comes before it ("at the camera")."""
        self._settle_unknown(followed_by_verb=False)
        is_aim = following is not None and following.text.startswith(_TOWARDS)
        if self._phrase.role == "" and not is_aim and (self._cast.is_fresh or not self._cast.clause):
            self._is_camera = True
        self._phrase = Phrase()

    def _on_role(self, index: int, piece: Piece, roles: Sequence[str]) -> None:
        if "thin" not in roles:
            self._settle_unknown(followed_by_verb=bool({"wear", "hold", "copula"} & set(roles)))
        if "pronoun" in roles:
            self._on_pronoun(piece)
        elif "determiner" in roles:
            self._on_determiner(index)
        elif {"wear", "hold", "with", "place"} & set(roles):
            self._open_role(index, next(role for role in ("wear", "hold", "place", "with") if role in roles))
        elif "and" in roles:
            self._keep_role()
        elif "relative" in roles and self._phrase.noun in self._cast.drafts and self._phrase.noun is not None:
            # "A taxi that drives past": what follows is said of the taxi.
            self._cast.clause, self._cast.verb_seen = [self._phrase.noun], False
            self._phrase, self._is_camera = Phrase(), False
        elif "clause" in roles:
            self._soft_break()
        elif "of" in roles:
            self._on_of(self._next(index))
        elif "inside_after" in roles:
            self._on_place_after()
        elif "thin" in roles:
            self._begins_with_things(piece, frozenset({"role"}))
            self._phrase = Phrase()

    def _on_pronoun(self, piece: Piece) -> None:
        """The last who acted; with nobody named before, the pronoun itself says who. "Around it" changes nothing."""
        cast = self._cast
        if self._is_camera or self._phrase.role != "":
            self._phrase = Phrase()
            return
        art_id = art_of_pronouns().get(fold(piece.text), "")
        self._refers_back = True
        if art_id == "person" and (several := cast.several()):
            cast.clause = several
        cast.clause = cast.clause or list(cast.last_clause) or cast.drafts[:1] or cast.meant_by(art_id)
        if not cast.clause and art_id:
            self._phrase.count = COUNT_MAX if art_id == "person" else 1
            cast.place(art_id, self._phrase, word=piece.text, many=False)
        self._phrase.noun = cast.clause[0] if cast.clause else None
        self._is_camera = self._is_of_things = False
        cast.is_fresh = cast.is_fresh and not cast.clause
        if self._phrase.noun is not None:
            self._speakers.assign(self._phrase.noun)

    def _on_determiner(self, index: int) -> None:
        """Whatever stands between a subject and "a ..." is a verb, known or not."""
        before, cast = self._before(index), self._cast
        is_linked = (
            before is None or before.sort == "mark" or bool({"and", "of"} & set(before.meanings.get("role", ())))
        )
        if cast.clause and self._phrase.role == "" and not cast.is_fresh and not is_linked:
            cast.verb_seen = True
        self._phrase.is_determined, self._phrase.noun = True, None

    def _open_role(self, index: int, role: str) -> None:
        """A role for the next noun; in Japanese, wearing and holding come after theirs."""
        noun, was = self._phrase.noun, self._phrase.index
        self._phrase = Phrase()
        if role in ("wear", "hold") and self._pieces[index].language == "ja":
            if noun is not None and index - was <= _WORN_WITHIN:
                self._cast.hand_over(noun)
            return
        self._phrase.role = role

    def _on_of(self, following: Piece | None) -> None:
        """In "a bowl of cherries" the cherries matter: they take the place of the bowl. Of an image it is the noun."""
        if following is not None and is_mark(following.text):
            return
        noun, cast = self._phrase.noun, self._cast
        self._phrase.unknown = []
        self._phrase.role = self._phrase.role or self._phrase.kept_role
        if noun is not None and not noun.kind.is_living and noun in cast.drafts:
            cast.dismiss(noun)
            cast.props.append(noun.art)
            cast.verb_seen = cast.verb_seen and bool(cast.clause)
        self._phrase.noun = None

    def _on_place_after(self) -> None:
        """Chinese and Japanese say after a noun that it is a place: it is no subject then, unless it lives."""
        noun, cast = self._phrase.noun, self._cast
        self._phrase = Phrase()
        if noun is None or noun not in cast.drafts:
            return
        if not noun.kind.is_living and not noun.wears:
            cast.dismiss(noun)
            cast.props.append(noun.art)
        elif len(cast.clause) > 1 and cast.clause[-1] is noun:
            cast.clause.pop()

    def _on_property(self, index: int, piece: Piece) -> None:
        """A place, a time, the weather ...: named more plainly after "in" than inside a compound."""
        phrase, following = self._phrase, self._next(index)
        is_place = "setting" in piece.meanings
        is_compound = following is not None and (
            ("art" in following.meanings and piece.language == "en")
            or (is_place and "setting" in following.meanings and piece.language in ("en", "zh"))
        )
        # "A greenhouse on Mars" is no compound.
        is_compound = is_compound and following is not None and not wording.opens_place(following)
        if is_place and phrase.index == index - 1 and piece.language == "en":
            self._cast.forget_modifier(phrase.noun)
        is_marked = following is not None and bool(
            {"inside_after", "marks_object"} & set(following.meanings.get("role", ()))
        )
        self._mention(piece, PROPERTIES, 1 if is_compound else 3 if phrase.role == "place" or is_marked else 2)
        if is_place:
            self._shown.place(index)
        if is_compound:
            return
        self._begins_with_things(piece, _DRIFTING)
        kept = phrase.role
        self._phrase = Phrase()
        self._phrase.kept_role = kept
        if not self._cast.clause:
            self._cast.release_action(to_last=piece.language != "en")

    def _begins_with_things(self, piece: Piece, tables: frozenset[str]) -> None:
        """Note that a clause begins with what is nobody: "petals are falling", "lights flicker"."""
        if self._phrase.role == "" and self._cast.is_fresh and not tables.isdisjoint(piece.meanings):
            self._is_of_things = piece.sort == "word"

    def _on_detail(self, index: int, piece: Piece) -> None:
        """A colour belongs to the noun it stands by; a number to the next one."""
        colours, counts = piece.meanings.get("colour", ()), piece.meanings.get("count", ())
        phrase, before = self._phrase, self._before(index)
        if colours and piece.language in HEAD_FIRST and phrase.dressed is not None and phrase.index >= index - 2:
            phrase.dressed.wears_tint = phrase.dressed.wears_tint or colours[0]
        elif colours and piece.language in HEAD_FIRST and phrase.noun is not None:
            phrase.noun.tint = phrase.noun.tint or colours[0]
        elif colours and before is not None and before.means("role", "copula") and self._cast.clause:
            self._cast.clause[0].tint = colours[0]
        elif colours:
            phrase.tint = colours[0]
        if counts:
            self._settle_unknown(followed_by_verb=False)
            phrase.count, phrase.is_determined, phrase.noun = int(counts[0]), True, None

    # Verbs.

    def _on_verb(self, index: int, piece: Piece, roles: Sequence[str]) -> None:
        self._settle_unknown(followed_by_verb=True)
        self._mention(piece, ("sound",))
        cast, phrase = self._cast, self._phrase
        if self._is_done_by_weather(index, piece):
            self._phrase = Phrase()
            return
        # In "the camera pushes in on a woman sitting" it is the woman who sits.
        is_said_of_noun = phrase.noun is not None and phrase.noun.kind.is_living and wording.is_participle(piece)
        if (self._is_camera and not is_said_of_noun) or self._is_done_by_camera(index, piece):
            moves = piece.meanings.get("camera_verb", ())
            self._camera = self._camera or (CameraMove(moves[0]) if moves else None)
        else:
            action = Action(piece.meanings["action"][0])
            if phrase.index == index - 1 and wording.is_finite(piece):
                cast.begin_with(phrase, is_joined=wording.is_joined(self._pieces[max(0, index - 4) : index - 1]))
            if not self._describes_next(index, piece):
                may_come_first = piece.language != "en" or wording.is_participle(piece)
                cast.act(action, phrase.noun, is_participle=wording.is_participle(piece), may_come_first=may_come_first)
            elif action is not Action.IDLE:
                cast.action = action
        if cast.action is None:
            cast.verb_seen = True
        self._phrase = Phrase()
        held = next((role for role in ("wear", "hold") if role in roles), "")
        if held and piece.language == "ja":
            if phrase.noun is not None and index - phrase.index <= _WORN_WITHIN:
                cast.hand_over(phrase.noun)
        elif held:
            self._phrase.role = held

    def _is_done_by_weather(self, index: int, piece: Piece) -> bool:
        """In ", petals fall" and "mientras caen pétalos" nobody but the petals falls."""
        before, following = self._before(index), self._next(index)
        if self._is_of_things and self._phrase.noun is None and not self._is_camera:
            return True
        if before is not None and before.meanings.keys() & _DRIFTING and self._phrase.noun is None:
            return piece.sort != "cjk" or not self._describes_next(index, piece)
        leads = self._cast.is_fresh and piece.language in HEAD_FIRST
        return leads and following is not None and "particles" in following.meanings

    def _describes_next(self, index: int, piece: Piece) -> bool:
        """Whether the verb stands before its noun: "a sleeping baby", "奔跑的狗", "踊る猫"."""
        following, phrase = self._next(index), self._phrase
        if following is None:
            return False
        if piece.language in ("zh", "ja"):
            return wording.is_clause_before_noun(piece, following)
        if not wording.is_participle(piece) or phrase.noun:
            return False
        noun_next = following.is_unknown or bool({"art", "colour"} & set(following.meanings))
        return noun_next and bool(phrase.is_determined or phrase.role or phrase.tint or self._cast.is_fresh)

    # Nouns.

    def _on_unknown(self, piece: Piece) -> None:
        if piece.sort == "word" and piece.text.isdecimal():
            self._phrase.count = min(int(piece.text[:4]), COUNT_MAX)
        else:
            self._phrase.unknown.append(piece)

    def _settle_unknown(self, *, followed_by_verb: bool) -> None:
        """A noun phrase of unknown words ended: find a drawing by keywords, or take it as a figure of its own."""
        phrase, cast = self._phrase, self._cast
        words, phrase.unknown = phrase.unknown, []
        if not words or self._is_camera:
            return
        if phrase.noun is not None:
            # A word that nobody knows after a noun is its verb.
            cast.verb_seen = True
            return
        starts = phrase.role == "" and not cast.clause
        starts = starts and (phrase.is_determined or (cast.is_fresh and followed_by_verb))
        if not starts and not (phrase.role in ("wear", "hold", "with") and phrase.is_determined):
            return
        text, found = wording.drawn_as(words)
        if found or (starts and not cast.drafts):
            placed = cast.place(found, phrase, word=text, many=False)
            self._on_subject(placed)
            self._show(placed, words[-1])
            self._shown.noun = (self._pieces.index(words[-1]), placed, "")

    def _on_noun(self, index: int, piece: Piece) -> None:
        art_id, phrase, cast, before = piece.meanings["art"][0], self._phrase, self._cast, self._before(index)
        many = wording.is_plural(piece)
        following = self._next(index)
        is_worn = kind_of(art_id).name == "worn"
        phrase.tint = phrase.tint or wording.tint_in(piece, is_worn=is_worn)
        if is_worn and before is not None and before.means("role", "of") and cast.clause:
            phrase.role = "wear"
        if piece.language == "en" and following is not None and self._describes_noun(following):
            return
        if cast.clause and self._is_said_of(index):
            self._phrase = Phrase()
            return
        beside = phrase.noun if phrase.index == index - 1 and not phrase.role else None
        if beside is not None and beside in cast.drafts and piece.language == "en":
            cast.refine(beside, art_id, word=f"{beside.word} {piece.text}", many=many)
        elif beside is not None and piece.language in HEAD_FIRST and is_worn and beside.kind.is_living:
            # "Gadis bergaun": the girl wears it.
            beside.wears.append(art_id)
            phrase.dressed = beside
        elif beside is not None and piece.language in HEAD_FIRST:
            if kind_of(art_id) is beside.kind and beside.kind.is_living:
                several = many or wording.is_doubled(before, piece)
                cast.refine(beside, art_id, word=f"{beside.word} {piece.text}", many=several)
        elif before is not None and "setting" in before.meanings and piece.language in HEAD_FIRST and not phrase.role:
            cast.props.append(art_id)
        else:
            if phrase.unknown and cast.clause and not (phrase.is_determined or cast.is_fresh or phrase.role):
                cast.verb_seen = True
            phrase.unknown = []
            phrase.count = int(piece.meanings["count"][0]) if "count" in piece.meanings else phrase.count
            dress = phrase.noun if before is not None and before.means("role", "links_modifier") else None
            placed = cast.place(art_id, phrase, word=piece.text, many=many)
            self._on_subject(placed)
            self._show(placed, piece)
            if placed is not None and dress is not None:
                cast.dress(placed, dress)
        phrase.index = index
        self._shown.noun = (index, phrase.noun, "" if phrase.noun is not None else cast.last_role)

    def _is_said_of(self, index: int) -> bool:
        """Whether the noun only tells what the subject is or becomes: "they become friends"."""
        before = self._before(index)
        if before is not None and before.means("role", "determiner"):
            before = self._before(index - 1)
        return before is not None and before.means("role", "copula")

    def _describes_noun(self, following: Piece) -> bool:
        """Whether the noun only describes the one after it: "chef hat", "drone shot"."""
        is_outfit = self._phrase.role == "wear" and wording.is_clothing(following)
        is_shot = "action" not in following.meanings and bool({"camera", "framing"} & set(following.meanings))
        return is_outfit or is_shot

    def _on_subject(self, draft: Draft | None) -> None:
        if draft is not None and draft in self._cast.clause:
            self._is_camera = self._is_of_things = False
            self._speakers.named(draft)

    # Given media.

    def _on_given(self, index: int, naming: Naming | None) -> None:
        """An image shows the noun beside it, or stands for somebody itself; other media only end the phrase."""
        if naming is None or not naming.is_of_scene:
            self._settle_unknown(followed_by_verb=False)
            self._phrase = Phrase()
            return
        self._phrase, actors = self._shown.read(self._pieces, index, naming, cast=self._cast, phrase=self._phrase)
        for draft in actors:
            self._on_subject(draft)

    def _show(self, draft: Draft | None, piece: Piece) -> None:
        """Note where a noun stands, and which image that was named before it shows it."""
        if draft is not None:
            draft.at, draft.ends = piece.start, piece.end
        self._shown.noun_came(draft, role=self._cast.last_role)

    def _on_quote(self) -> None:
        self._settle_unknown(followed_by_verb=False)
        self._speakers.quote(self._cast)
        self._phrase = Phrase()
        self._cast.is_fresh = self._cast.verb_seen = True
