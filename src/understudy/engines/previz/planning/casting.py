"""The subjects so far: who acts in the clause, what they wear, which things only dress the scene.

``reading`` decides what a word is; here a noun finds its place.
"""

from collections.abc import Sequence

from understudy.engines.previz.kinds import Kind, kind_of, voice_of
from understudy.engines.previz.plan import Action
from understudy.engines.previz.planning.drafts import Draft
from understudy.reading.phrases import Piece

SUBJECTS_MAX = 5
SHOWN_MAX = 9
"""As many subjects as a request of Seedance 2.0 can bring reference images: each of them is shown."""
# A bare plural ("seagulls") says more than one; three are seen as many without hiding each other.
PLURAL_COUNT = 3
# Nobody stands this far from a noun: no noun was read.
NOWHERE = -9
# Things after the verb become subjects of their own only while the stage has room for those that act.
OBJECTS_UP_TO = 3


class Phrase:
    """What only the current noun phrase needs: the words before its noun, then the noun.

    role: what the next noun is for, a key of role.toml or "". kept_role: the role that "and" takes up again.
    dressed: who wears the noun just read.
    """

    __slots__ = ("count", "dressed", "index", "is_determined", "kept_role", "noun", "role", "tint", "unknown")

    def __init__(self, role: str = "") -> None:
        self.role, self.kept_role, self.tint = role, "", ""
        self.count = 0
        self.is_determined = False
        self.unknown: list[Piece] = []
        self.noun: Draft | None = None
        self.dressed: Draft | None = None
        self.index = NOWHERE

    def without_noun(self) -> None:
        """The noun is placed and nothing after it can refer to it."""
        self.tint, self.count, self.is_determined, self.noun = "", 0, False, None


class Cast:
    """Who and what was named. clause: who acts in this clause. verb_seen: a noun now is an object.

    is_fresh: a clause just began. action: a motion said before who does it ("a sleeping baby"). earlier: those of the
    shots before, whom this one may name again.
    """

    def __init__(self, earlier: Sequence[Draft] = ()) -> None:
        self.earlier = tuple(earlier)
        self.drafts: list[Draft] = []
        self.props: list[str] = []
        self.last_clause: list[Draft] = []
        self._pending_wears: list[str] = []
        self._pending_tint = ""
        self.last_role = ""
        self.clause: list[Draft] = []
        self.action: Action | None = None
        self.start_sentence()

    def start_sentence(self) -> None:
        """Nobody acts yet; the last who did are remembered for a pronoun."""
        self.release_action(to_last=True)
        self.last_clause = self.clause or self.last_clause
        self.clause = []
        self.verb_seen, self.is_fresh = False, True

    def begin_clause(self) -> None:
        """What follows is said of somebody else."""
        self.last_clause = self.clause or self.last_clause
        self.clause, self.verb_seen, self.is_fresh = [], False, True

    def release_action(self, *, to_last: bool) -> None:
        """A motion that nobody came for is done by who acted last, where a language may leave that unsaid."""
        if to_last and self.action is not None and not self.clause:
            for draft in self.last_clause or self.drafts[:1]:
                draft.acts(self.action)
        self.action = None

    def adopt_waiting(self) -> None:
        """Things that nobody came to hold are what the film shows: "pouring hot coffee into a cup"."""
        self.release_action(to_last=True)
        if not self.drafts:
            self.drafts = [Draft(art_id, art_id.replace("-", " ")) for art_id in self._pending_wears or self.props[:1]]

    def dismiss(self, draft: Draft) -> None:
        """Take a subject back."""
        self.drafts = [other for other in self.drafts if other is not draft]
        self.clause = [other for other in self.clause if other is not draft]

    def hand_over(self, draft: Draft) -> None:
        """Turn a thing that was read as a subject into what the subject wears or holds."""
        if draft in self.drafts and not draft.kind.is_living:
            self.dismiss(draft)
            if self.clause:
                self.clause[0].wears.append(draft.art)
            else:
                self._pending_wears.append(draft.art)

    def dress(self, draft: Draft, worn: Draft) -> None:
        """Put on somebody what was read as a subject before: the dress of "赤いドレスの少女"."""
        if worn.kind.name == "worn" and worn in self.drafts and draft.kind.is_living:
            self.dismiss(worn)
            draft.wears.append(worn.art)
            draft.wears_tint = draft.wears_tint or worn.tint

    def forget_modifier(self, draft: Draft | None) -> None:
        """In "dog park" no dog is meant."""
        if draft is not None and draft in self.drafts and draft.is_vague and not draft.wears:
            self.dismiss(draft)
            if not draft.kind.is_living and draft.art:
                self.props.append(draft.art)

    def refine(self, draft: Draft, art_id: str, *, word: str, many: bool) -> None:
        """Of two nouns side by side the second is meant: the dog of "robot dog"; but the cat of "cat detective"."""
        kind = kind_of(art_id)
        is_played_by = kind.name == "person" and draft.kind.name in ("animal", "creature", "bird", "swimmer")
        if draft.wears or not draft.is_vague or is_played_by or (not kind.is_living and draft.kind.is_living):
            return
        draft.art, draft.word = art_id, word
        if many and draft.count == 1:
            draft.count = PLURAL_COUNT

    def place(self, art_id: str, phrase: Phrase, *, word: str, many: bool) -> Draft | None:
        """Put a noun where its role says: a subject, something worn or held, a prop. Returns the subject, if it is one.

        Living things are subjects wherever they are named; parts of bodies only when nothing else is there.
        """
        kind = kind_of(art_id)
        role, phrase.role = phrase.role, ""
        phrase.kept_role = role
        owner = self.clause[0] if self.clause else None
        is_subject = kind.is_living or role == ""
        is_object = role == "" and self.verb_seen and len(self.drafts) >= OBJECTS_UP_TO
        if kind.name == "scenery" or (kind.name == "body" and (self.drafts or role != "")):
            pass
        elif not is_subject and owner is None and role in ("wear", "hold"):
            self._pending_wears.append(art_id)
            self._pending_tint = phrase.tint if kind.name == "worn" else self._pending_tint
        elif owner is not None and self._goes_to(owner, kind, role=role):
            owner.wears.append(art_id)
            if kind.name == "worn":
                owner.wears_tint = owner.wears_tint or phrase.tint
                phrase.dressed = owner
        elif not is_subject or (is_object and not kind.is_living):
            self.props.append(art_id)
        else:
            return self._add(Draft(art_id, word), phrase, role=role, many=many)
        phrase.without_noun()
        self.action = None if self.clause else self.action
        self.last_role = role
        return None

    def _goes_to(self, owner: Draft, kind: Kind, *, role: str) -> bool:
        """Whether a thing is worn or held: so says its role, or it is clothing that someone does something with."""
        if kind.is_living:
            return False
        is_clothing = kind.name == "worn" and owner.kind.is_living
        return (is_clothing and (role != "" or self.verb_seen)) or role not in ("", "place")

    def _add(self, named: Draft, phrase: Phrase, *, role: str, many: bool) -> Draft:
        draft = self._known(named, phrase) or named
        if draft is named:
            self.drafts.append(draft)
            draft.count = phrase.count or (PLURAL_COUNT if many else 1)
        draft.tint = draft.tint or phrase.tint
        draft.wears += self._pending_wears
        draft.wears_tint = draft.wears_tint or self._pending_tint
        self._pending_wears, self._pending_tint = [], ""
        if self.action is not None and role in ("", "place", "with"):
            draft.acts(self.action)
            self.action = None
        if role == "":
            self._join_clause(draft)
        phrase.without_noun()
        phrase.noun = draft
        return draft

    def _join_clause(self, draft: Draft) -> None:
        """A noun before the verb is who acts, together with those beside it; after the verb it is an object."""
        if self.is_fresh and self.verb_seen:
            self.clause, self.verb_seen = [], False
        if not self.verb_seen:
            if draft not in self.clause:
                self.clause.append(draft)
            self.is_fresh = False

    def _known(self, named: Draft, phrase: Phrase) -> Draft | None:
        """The subject that the noun names again: the same drawing, or "the man" for an old fisherman."""
        is_again = phrase.is_determined and phrase.count == 0
        for drafts in (self.drafts, self.earlier):
            if found := _meant(drafts, named, is_again=is_again):
                return self.recall(found)
        return None

    def recall(self, draft: Draft) -> Draft:
        """The draft as one of this shot's: itself, or its second self when an earlier shot showed it."""
        if draft in self.drafts:
            return draft
        again = next((other for other in self.drafts if other.word == draft.word and other.art == draft.art), None)
        if again is None:
            again = draft.again()
            self.drafts.append(again)
        return again

    def shown_by(self, number: int) -> Draft | None:
        """Who is shown by a reference image, as far as that was said before."""
        for draft in (*self.drafts, *self.earlier):
            if number in draft.images:
                return self.recall(draft)
        return None

    def join(self, draft: Draft, phrase: Phrase, *, role: str) -> None:
        """Let somebody who is known take the place of a noun."""
        if role == "":
            self._join_clause(draft)
        phrase.without_noun()
        phrase.noun = draft

    def meant_by(self, pronoun_art: str) -> list[Draft]:
        """Whom of the earlier shots a pronoun means: "she" a woman or somebody unknown, "it" no person."""
        voice, is_person = voice_of(pronoun_art), pronoun_art != ""
        fitting = [
            draft
            for draft in self.earlier
            if (draft.kind.name in PEOPLE) == is_person and (not voice or voice_of(draft.art) in ("", "child", voice))
        ]
        chosen = fitting or list(self.earlier)
        return [self.recall(draft) for draft in (chosen if pronoun_art == "person" else chosen[:1])]

    def begin_with(self, phrase: Phrase, *, is_joined: bool) -> None:
        """Let who stands right before a verb be who acts now: "a boy runs and his dog jumps"."""
        draft = phrase.noun
        is_own = draft is not None and draft in self.drafts and draft.kind.is_living
        is_free = phrase.kept_role == "" or is_joined
        if draft is not None and is_own and is_free and self.verb_seen and draft not in self.clause:
            self.begin_clause()
            self.clause, self.is_fresh = [draft], False

    def several(self) -> list[Draft]:
        """Whom "they" means: all who acted last when they are several, else everybody, else every animal."""
        last = [draft for draft in self.clause or self.last_clause if draft.kind.name in _ANIMATE]
        if len(last) > 1 or any(draft.count > 1 for draft in last):
            return last
        people = [draft for draft in self.drafts if draft.kind.name in PEOPLE]
        animate = [draft for draft in self.drafts if draft.kind.name in _ANIMATE]
        return next((group for group in (people, animate) if len(group) > 1), [])

    def act(self, action: Action, noun: Draft | None, *, is_participle: bool, may_come_first: bool) -> None:
        """Give the motion to who does it: the noun right before a participle, else who acts in the clause.

        may_come_first: with nobody there it waits for who is named next ("Dancing in the rain, a girl ...").
        """
        targets = self.clause
        if noun is not None and noun in self.drafts and noun not in self.clause and (is_participle or not targets):
            targets = [noun]
        if not targets and not self.is_fresh:
            targets = self.last_clause
        if not targets and may_come_first and action is not Action.IDLE:
            self.action = action
        for draft in targets:
            draft.acts(action)


PEOPLE = ("person", "figure")
_ANIMATE = (*PEOPLE, "creature", "animal", "bird", "insect", "swimmer")


def _meant(drafts: Sequence[Draft], named: Draft, *, is_again: bool) -> Draft | None:
    for draft in drafts:
        if draft.art == named.art and (named.art or (named.word and draft.word == named.word)):
            return draft
    people = [draft for draft in drafts if draft.kind.name in PEOPLE] if is_again else []
    if named.art == "person":
        return people[0] if people else None
    if named.art in ("man", "woman"):
        return next((draft for draft in people if voice_of(draft.art) == voice_of(named.art)), None)
    return None
