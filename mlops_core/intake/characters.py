"""Which characters a value may hold, and how a value is shown to people.

    offence("mlоps", ascii_only=True)     # -> "U+043E CYRILLIC SMALL LETTER O"
    shown("a\\u202eb")                     # -> "a\\\\u{202E}b"

Sources: Unicode general categories; Unicode Technical Report 36 (visual spoofing) for what is refused.
"""

from __future__ import annotations

import unicodedata

SHOWN_CHARACTERS = 80
_ALWAYS_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SPACES = frozenset({" ", "\u3000"})
# Letters, marks and symbols that draw nothing: Hangul fillers, grapheme joiner, Khmer inherent vowels, blank Braille.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_KEPT = ((0x3041, 0x30FF), (0x4E00, 0x9FFF), (0x3001, 0x3003), (0xFF08, 0xFF09))


def name_of(character: str) -> str:
    """``U+043E CYRILLIC SMALL LETTER O``: a character that cannot be misread."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def _refused(character: str, *, ascii_only: bool) -> bool:
    if " " <= character <= "~":
        return False
    if ascii_only or character in _INVISIBLE:
        return True
    if any(low <= ord(character) <= high for low, high in _SELECTORS):
        return True
    category = unicodedata.category(character)
    return category in _ALWAYS_REFUSED or (category == "Zs" and character not in _SPACES)


def offence(text: str, *, ascii_only: bool = False) -> str:
    """The first character of ``text`` that may not stand there, by code point and name; empty when all may.

    Free text (column names, labels) may be written in any script, composed (NFC), without invisible, bidirectional or control
    characters and not starting with a combining mark; everything else is printable ASCII.
    """
    bad = {character for character in set(text) if _refused(character, ascii_only=ascii_only)}
    if bad:
        return name_of(next(character for character in text if character in bad))
    if text.isascii():
        return ""
    if unicodedata.combining(text[0]):
        return name_of(text[0])
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        return next((name_of(old) for old, new in zip(text, composed, strict=False) if old != new), name_of(text[-1]))
    return ""


def shown(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """``text`` on one line for people: cut, and everything but printable ASCII, kana and kanji written as its code point."""
    cut = text[:limit]
    kept = "".join(
        character if " " <= character <= "~" or any(low <= ord(character) <= high for low, high in _KEPT) else f"\\u{{{ord(character):X}}}"
        for character in cut
    )
    return kept + ("…" if len(text) > limit else "")
