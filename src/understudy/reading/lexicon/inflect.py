"""Forms of words: plurals and verb forms to add to a table, singulars to look a word up, spelling folded for both.

Only what lookups need; a wrong form that no text contains does no harm.
"""

import re
import unicodedata
from functools import lru_cache

_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "mouse": "mice", "goose": "geese",
    "wolf": "wolves", "leaf": "leaves", "foot": "feet", "tooth": "teeth", "ox": "oxen", "calf": "calves",
    "knife": "knives", "thief": "thieves", "elf": "elves", "shelf": "shelves", "loaf": "loaves", "scarf": "scarves",
    "fisherman": "fishermen", "policeman": "policemen", "fireman": "firemen", "snowman": "snowmen", "hero": "heroes",
    "tomato": "tomatoes", "potato": "potatoes", "mango": "mangoes", "volcano": "volcanoes", "wife": "wives",
    "fish": "fish", "sheep": "sheep", "deer": "deer", "moose": "moose", "bison": "bison", "ninja": "ninjas",
}  # fmt: skip
_REGULAR = {plural: singular for singular, plural in _IRREGULAR.items()}
_VOWELS = "aeiou"


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, accents off Latin letters, typographic apostrophes and hyphens plain; length may change."""
    plain = text.casefold().replace("’", "'").replace("‐", "-").replace("‑", "-")
    if plain.isascii():
        return plain
    return "".join(_folded_letter(letter) for letter in unicodedata.normalize("NFC", plain))


def _folded_letter(letter: str) -> str:
    # Only Latin letters: taking marks off kana would change the letter (ga would become ka).
    if "LATIN" not in unicodedata.name(letter, ""):
        return letter
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))


def plural(word: str, language: str) -> str:
    """The regular or known plural of a folded noun; the word itself where the language has none."""
    if language == "en":
        if word in _IRREGULAR:
            return _IRREGULAR[word]
        if re.search(r"(s|x|z|ch|sh)$", word):
            return word + "es"
        if re.search(r"[^aeiou]y$", word):
            return word[:-1] + "ies"
        return word + "s"
    if language == "pt" and word.endswith("ao"):
        return word[:-2] + "oes"
    if language == "pt" and word.endswith("m"):
        return word[:-1] + "ns"
    if language == "pt" and re.search(r"[aeou]l$", word):
        return word[:-1] + "is"
    if language in ("es", "pt") and not word.endswith("s"):
        return word + ("s" if word[-1:] in _VOWELS else "es")
    return word


def singulars(word: str, language: str) -> tuple[str, ...]:
    """What a folded noun may be the plural of, likeliest first; the word itself comes first of all."""
    found = [word]
    if language == "en":
        found += [_REGULAR[word]] if word in _REGULAR else []
        found += [word[:-3] + "y"] if word.endswith("ies") else []
        found += [word[:-3] + "f", word[:-3] + "fe"] if word.endswith("ves") else []
        found += [word[:-2]] if re.search(r"(s|x|z|ch|sh|o)es$", word) else []
    if language == "pt":
        found += [word[:-3] + "ao"] if word.endswith(("oes", "aes")) else []
        found += [word[:-2] + "m"] if word.endswith("ns") else []
        found += [word[:-2] + "l"] if word.endswith("is") else []
    if language in ("en", "es", "pt") and len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        found += [word[:-1]] + ([word[:-2]] if word.endswith("es") else [])
    return tuple(dict.fromkeys(found))


def verb_forms(verb: str) -> tuple[str, ...]:
    """The regular forms of an English verb: walk, walks, walking, walked; with the last consonant doubled too."""
    third = plural(verb, "en") if verb not in _IRREGULAR else verb + "s"
    if verb.endswith("ie"):
        return (verb, third, verb[:-2] + "ying", verb + "d")
    if verb.endswith("e") and not verb.endswith("ee"):
        return (verb, third, verb[:-1] + "ing", verb + "d")
    if re.search(r"[^aeiou]y$", verb):
        return (verb, third, verb + "ing", verb[:-1] + "ied")
    if re.search(r"[^aeiou][aeiou][bdgklmnprtv]$", verb):
        return (verb, third, verb + verb[-1] + "ing", verb + verb[-1] + "ed", verb + "ing", verb + "ed")
    return (verb, third, verb + "ing", verb + "ed")
