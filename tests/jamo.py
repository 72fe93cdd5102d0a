"""How the service corrects conjoining jamo, by the rules in docs/languages.md."""

import re
import unicodedata

FINALS = {unicodedata.name(chr(code)): chr(code) for code in range(0x11A8, 0x11C3)}


def repaired(text: str) -> str:
    """A checkpoint's text with its jamo corrected, in NFC."""
    text = unicodedata.normalize("NFD", text)
    text = re.sub("([\u1104\u1108\u110d])\u110b+", r"\1", text)

    def close(found: re.Match[str]) -> str:
        final = unicodedata.name(found[2]).replace("CHOSEONG", "JONGSEONG")
        return found[1] + FINALS.get(final, found[2])

    initial, vowel = "[\u1100-\u1112]", "[\u1161-\u1175]"
    text = re.sub(f"({initial}{vowel})({initial})(?!{vowel})", close, text)
    text = unicodedata.normalize("NFC", text)
    text = unicodedata.normalize("NFC", re.sub(vowel, "\u110b\\g<0>", text))
    return re.sub("[\u1100-\u11ff]", "", text)
