"""Words of a text as stems that can be compared, and what kind of answer a question asks for."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")

_ENGLISH = """
a about actually am an and any are as at be been being but by can could did do does doing done for from get
had has have having he her hers him his how i if in into is it its just kind let many may me might much must my
of on or our ought please shall she should so some tell than that the their them then there these they this
those to type us used was we were what when where which who whom whose why will with would you your explain
describe give list name according mean
"""
_GERMAN = """
aber als am an auch auf aus bei bis da das dass dem den der des die dies diese dieser durch ein eine einem
einen einer eines er es für hat haben hatte im in ist ja kann man mit nach nicht oder sich sie sind so über um
und uns unter viel viele vom von vor wann war waren warum was welche welchem welchen welcher welches wem wen
wer werden wie wird wo wurde wurden zu zum zur
"""
_SPANISH = """
al como cómo con cual cuál cuáles cuando cuándo cuánta cuántas cuánto cuántos de del dónde donde el en entre era
eran es esta este fue fueron ha han la las lo los más no o para por porque qué que quien quién quiénes se ser
sin sobre son su sus tiene un una y
"""

_DATE = r"[12]\d{3}|january|february|march|april|\bmay\b|june|july|august|september|october|november|december"
_ANSWER_KINDS = (
    (r"^when|what (year|date|day)|which (year|date|day)|\bwann\b|\bcuándo\b", rf"(?i:{_DATE})|\d"),
    (r"how (many|much|long|old|far|tall|often|big|high)|wie ?(viel|lange)|\bcuánt", r"\d|(?i:\b(one|two|three)\b)"),
    (r"^who|\bwhose\b|\bwer\b|\bquién", r"(?<![.!?] )(?<!^)\b[A-ZÀ-Þ][\w.'’-]+"),
)


def stem(word: str) -> str:
    """Cut the commonest endings of English (and plurals elsewhere), fold accents and case."""
    plain = unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()
    plain = re.sub(r"'s?$", "", plain or word.casefold())
    if len(plain) < 4 or plain.isdigit():
        return plain
    if plain.endswith("ies") and len(plain) > 4:
        return plain[:-3] + "y"
    for ending in ("ingly", "edly", "ing", "ed", "ly", "es", "s", "e"):
        if plain.endswith(ending) and len(plain) - len(ending) >= 3 and not plain.endswith("ss"):
            return _undoubled(plain.removesuffix(ending))
    return plain


def stems(text: str) -> list[str]:
    """All stems of a text in order. Scripts without spaces between words give pairs of characters."""
    found: list[str] = []
    for word in _WORD.findall(text):
        if _UNSPACED.search(word):
            found.extend(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            found.append(stem(word.replace("’", "'")))
    return found


def content_stems(question: str) -> list[str]:
    """The distinct stems that carry a question's meaning; all of them when every word is a common one."""
    distinct = list(dict.fromkeys(stems(question)))
    return [one for one in distinct if one not in _COMMON] or distinct


def wanted_kinds(question: str) -> list[re.Pattern[str]]:
    """What a date, a number or a name looks like, if the question asks for one."""
    asked = question.casefold()
    return [re.compile(looks) for asks, looks in _ANSWER_KINDS if re.search(asks, asked)]


def _undoubled(plain: str) -> str:
    return plain[:-1] if len(plain) > 3 and plain[-1] == plain[-2] and plain[-1] not in "aeiols" else plain


_COMMON = frozenset(stem(word) for word in f"{_ENGLISH}{_GERMAN}{_SPANISH}".split())
