"""The encodings of files: told by their mark, their countries or their letters; what was guessed is said."""

import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.encoding import decoded, is_encoding, tidy

CENTRAL = ["Čáslav", "Đurđevac", "Győr", "Plzeň", "Čakovec", "Łódź", "Žďár nad Sázavou", "Brăila", "OŠ Petrić"]
WESTERN = ["École Molière", "Città di Forlì", "São João", "Köln", "Liège en België", "Peñón", "Tromsø", "Évora", "Nicolò"]


def file_of(names: list[str], encoding: str) -> bytes:
    return ("school_id\n" + "\n".join(names) + "\n").encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_without_a_word(encoding):
    assert decoded(file_of(CENTRAL, encoding), "s.csv") == (file_of(CENTRAL, "utf-8").decode(), "")


@pytest.mark.parametrize(("names", "encoding"), [([name], "cp1250") for name in CENTRAL] + [([name], "cp1252") for name in WESTERN])
def test_letters_tell_the_code_page_of_a_file_without_countries(names, encoding):
    text, notice = decoded(file_of(names, encoding), "s.csv")
    assert text == file_of(names, "utf-8").decode()
    assert notice.startswith(f"s.csv is not UTF-8 and was read as {encoding}, for example ")


@pytest.mark.parametrize(
    ("codes", "name", "encoding"),
    [
        (["CZ"], "è", "cp1252"),
        (["HR", "HU"], "Szűcs", "cp1250"),
        (["PL"], "Częstochowa", "cp1250"),
        (["IT", "PT"], "è", "cp1252"),
        (["be-vlg"], "ê", "cp1252"),
        (["GR"], "Αθήνα", "cp1253"),
        (["BG"], "София", "cp1251"),
        (["LV"], "Rīga", "cp1257"),
        (["TR"], "Diyarbakır", "cp1254"),
    ],
)
def test_countries_tell_the_code_page_before_letters_do(codes, name, encoding):
    content = file_of([name], encoding)
    wanted = content.decode("cp1250" if codes == ["CZ"] else encoding)
    assert decoded(content, "s.csv", countries=lambda: codes)[0] == wanted


def test_countries_of_several_code_pages_leave_it_to_the_letters():
    for names, encoding in ((CENTRAL, "cp1250"), (WESTERN, "cp1252")):
        assert decoded(file_of(names, encoding), "s.csv", countries=lambda: ["IT", "CZ"])[0] == file_of(names, "utf-8").decode()


def test_spaces_that_code_pages_share_are_no_guess():
    assert decoded("pupils\n1\N{NO-BREAK SPACE}000\n".encode("cp1250"), "s.csv") == ("pupils\n1\N{NO-BREAK SPACE}000\n", "")


def test_a_stated_encoding_is_that_of_files_that_are_not_unicode():
    assert decoded(file_of(CENTRAL[:3], "iso8859-2"), "s.csv", "iso8859-2") == (file_of(CENTRAL[:3], "utf-8").decode(), "")
    assert decoded(file_of(CENTRAL, "utf-8"), "s.csv", "cp1250") == (file_of(CENTRAL, "utf-8").decode(), "")
    for names in (CENTRAL, ["A", "B"]):
        assert decoded(file_of(names, "utf-16-le"), "s.csv", "utf-16-le")[0] == file_of(names, "utf-8").decode()


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"school_id\n\x81", None, "s.csv, row 2: is not UTF-8 text (byte 0x81); save the file as 'CSV UTF-8', or give --encoding NAME"),
        (
            b"a\0\n\0\xe9\0",
            None,
            "s.csv: holds zero bytes, as UTF-16 without its mark does; save the file as 'CSV UTF-8', or give --encoding",
        ),
        (b"a\0\n\0b\0", None, "s.csv: holds zero bytes, as UTF-16 without its mark does; save the file as 'CSV UTF-8', or give --encoding"),
        (b"\xff\xfea\0b", None, "s.csv, row 1: is not UTF-16 text, though it begins as such (byte 0x62); save the file as 'CSV UTF-8'"),
        (b"a\n\xe9", "ascii", "s.csv, row 2: is not ascii text (byte 0xE9); save the file as 'CSV UTF-8', or give --encoding NAME"),
    ],
)
def test_bytes_of_no_encoding_are_named(content, encoding, message):
    with pytest.raises(InputError) as caught:
        decoded(content, "s.csv", encoding)
    assert str(caught.value).startswith(message)


def test_only_encodings_of_text_are_encodings():
    assert [name for name in ("cp1250", "UTF-16-LE", "utf8", "base64", "rot13", "nope", "x\0", "é") if is_encoding(name)] == [
        "cp1250",
        "UTF-16-LE",
        "utf8",
    ]


def test_text_is_made_plain():
    assert tidy("E\N{COMBINING ACUTE ACCENT}cole\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}A\N{ZERO WIDTH NO-BREAK SPACE}") == "École A"
