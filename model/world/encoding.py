"""The bytes of a user's file as text: Unicode where it is, else the code page that its countries or its letters tell, with a notice."""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable

from school_mentoring.model.errors import InputError

MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # after UTF-32, whose mark begins with that of UTF-16

WORD = r"[^\s,;|]+"
ENCODINGS = "cp1250, cp1252, iso8859-2, utf-16-le and other names of encodings"

WESTERN = "cp1252"
CODE_PAGES = {
    **dict.fromkeys(["AL", "BA", "CZ", "HR", "HU", "ME", "PL", "RO", "RS", "SI", "SK", "XK"], "cp1250"),
    **dict.fromkeys(["BG", "BY", "MK", "RU", "UA"], "cp1251"),
    **dict.fromkeys(["CY", "EL", "GR"], "cp1253"),
    "TR": "cp1254",
    **dict.fromkeys(["EE", "LT", "LV"], "cp1257"),
}
"""The code page of Windows in a country, by the first two letters of its code; elsewhere it is ``WESTERN``."""

LETTERS = {  # of a language, in the places where it has them
    "cp1250": ("[čćđšž]", "[áčďéěíňóřšťúůýž]", "[áéíóöőúüű]", "[ąćęłńóśźż]", "[áäčďéíĺľňóôŕšťúýž]", "[ăâîşţ]"),
    WESTERN: (
        r"è(?![aeiouyá])|[éëïôîêûâçœ]|[àù]\b",  # French; no vowel follows its è
        r"(?<![aeo])[àèéìòù]\b",  # Italian, at the end of words
        r"õ(?=e)|ã(?=[oe]|\b)|[áàâçéêíóôúü]",  # Portuguese
        "[áéíñóúü]",
        r"[äöüß]",
        r"[éëï]|è(?![aeiouyá])",
        r"[åé]|ø(?![aeiouyøåæ])|æ(?![aeiouyøåæ]|\b)",
    ),
}


def decoded(content: bytes, name: str, encoding: str | None = None, countries: Callable[[], Iterable[str]] = tuple) -> tuple[str, str]:
    """Return the text of a file called ``name``, and a notice where its encoding was guessed.

    ``encoding``: that of a file that is not Unicode. ``countries``: gives the codes of the file's countries. Raises InputError.
    """
    marked = next((codec for mark, codec in MARKS.items() if content.startswith(mark)), None)
    zeros = b"\0" in content and not marked  # which no text has but one of two or four bytes a letter
    try:
        text = content.decode(marked or "utf-8").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    except UnicodeDecodeError as error:
        if marked:
            raise _undecodable(content, name, error, f"{marked.upper()} text, though it begins as such") from None
        wrong = error
    else:
        if not zeros:
            return text, ""
    if encoding is not None:
        try:
            return content.decode(encoding), ""
        except UnicodeError as error:
            raise _undecodable(content, name, error, f"{encoding} text") from None
    if zeros:
        allowed = "save the file as 'CSV UTF-8', or give --encoding utf-16-le"
        raise InputError(name, "holds zero bytes, as UTF-16 without its mark does", allowed)
    codec = _code_page(content, countries())
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        raise _undecodable(content, name, wrong, "UTF-8 text") from None
    word = next((word for word in re.findall(WORD, text) if not word.isascii()), None)
    if word is None:  # but for spaces, which all of these code pages have
        return text, ""
    wrong_is = "if that is wrong, save it as 'CSV UTF-8' or give --encoding"
    return text, f"{name} is not UTF-8 and was read as {codec}, for example {word!r}; {wrong_is}"


def is_encoding(name: str) -> bool:
    """Tell whether a text encoding has this name."""
    try:
        return bool(bytes(4).decode(name))
    except (LookupError, ValueError):
        return False


def _undecodable(content: bytes, name: str, error: UnicodeError, what: str) -> InputError:
    at = error.start if isinstance(error, UnicodeDecodeError) else 0
    row = content.count(b"\n", 0, at) + 1
    return InputError(
        f"{name}, row {row}", f"is not {what} (byte 0x{content[at]:02X})", "save the file as 'CSV UTF-8', or give --encoding NAME"
    )


def _code_page(content: bytes, countries: Iterable[str]) -> str:
    """Return the code page that the countries have in common, else the one in which more letters of words are those of one language."""
    pages = {CODE_PAGES.get(code.strip().upper()[:2], WESTERN) for code in countries if code.strip()}
    if len(pages) == 1:
        return pages.pop()
    return max((WESTERN, *LETTERS), key=lambda page: _fitting(content.decode(page, "replace").lower(), LETTERS[page]))


def _fitting(text: str, languages: tuple[str, ...]) -> int:
    """Return how many of a text's letters beyond ASCII one language explains, word by word."""
    words = [word for word in re.findall(WORD, text) if not word.isascii()]
    return sum(max(len(re.findall(letters, word)) for letters in languages) for word in words)


def tidy(text: str) -> str:
    """Return a text with accents composed, with plain spaces, and without characters that nobody can see."""
    composed = unicodedata.normalize("NFC", text)
    kinds = {character: unicodedata.category(character) for character in set(composed) if not character.isascii()}
    return composed.translate({ord(c): " " if kind == "Zs" else None for c, kind in kinds.items() if kind in ("Zs", "Cf")})
