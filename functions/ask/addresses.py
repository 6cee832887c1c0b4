"""Addresses in a model's text: what a browser, a Markdown renderer or a chat program would make a link of.

A chat program follows a link by itself to show what is behind it. So the words behind a name's slash must not be part
of a link. A bare name stays: it may be a company's.
"""

import re
from collections.abc import Sequence
from functools import cache

REMOVED = "(link removed)"

# Where an address ends: at white space, at the end of code, and at the stops of scripts that put no space behind them.
_REST = r"[^\s`。，、；：！？）」』】》〉]*"
# Letters of a name, of scripts with spaces; in others nothing would part it from the sentence before it.
_LETTER = "(?-i:[A-Za-z0-9_\u00c0-\u0dff\u10a0-\u177f\u1800-\u1fff\uac00-\ud7af-])"
_DOT = r"\\?[.。．｡]"  # browsers take all of them, and Markdown a stop with a backslash
_BEHIND = rf"(?::\d{{1,5}})?\\?(?:/{_REST}|[?#](?=[^\s\w]*\w){_REST})"
_ENDINGS = (  # ASP.NET/C# is none, and is taken apart below
    "com|(?-i:net)|org|edu|gov|mil|int|io|info|biz|xyz|top|site|website|online|club|shop|store|app|dev|page|link|click|live"
    "|cloud|tech|pro|name|mobi|space|fun|icu|vip|win|work|world|today|life|email|host|press|news|wiki|blog|media|digital"
    "|agency|network|zone|zip|mov|рф|рус|бел|укр|онлайн|сайт|xn--[a-z0-9-]{1,59}"
)
# Of countries, as ISO 3166 has them, but for those that files have: "setup.py/README.md" is taken apart below.
_COUNTRIES = (
    "(?!m[dkl]|p[lsy]|rs|s[ho])"
    "(?:a[cdefgilmoqrstuwxz]|b[abdefghijmnorstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[cegrstu]|f[ijkmor]"
    "|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]|m[acdeghklmnopqrstuvwxyz]"
    "|n[acefgilopruz]|om|p[aefghklmnrstwy]|qa|r[eosuw]|s[abcdeghijklmnorstuvxyz]|t[cdfghjklmnortvwz]|u[agksyz]|v[aceginu]"
    "|w[fs]|y[et]|z[amw])"
)
# Any other name with something behind it: "Then/and" after a stop without a space, or a domain's new ending. Its words
# stay, with a space before what is behind. Not within a path (src/app.module/x), nor after what only files end with.
_PART = (
    r"[^\s!-,./:-@\[-^`{-~\u00ab\u00b7\u00bb\u2010-\u203e\u2190-\u21ff"
    r"\u3001-\u3003\u3008-\u301f\u30fb\uff01-\uff0f\uff1a-\uff1f\uff3b-\uff3d\uff5b-\uff64]"
)
_NAME = re.compile(
    rf"(?<!{_PART})(?<![/.])(?!(?<={_PART}\\)\.(?!\.))\.*(?:{_PART}+\\?\.)+"
    r"(?!(?i:js|ts|jsx|tsx|json|txt|csv|xml|ya?ml|toml|ini|cfg|conf|log|html?|css|pdf|docx?|xlsx?|pptx?|cpp|php|sql"
    r"|jpe?g|png|gif|svg|exe|dll|lock)(?![^\W_]))"
    r"[^\s!-@\[-`{-~]{2,}\.?(?::\d{1,5})?(?=\\?[/?#][^\w\s]*\w)"
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_TRAILING = ".,;:!?)]}'\"’”"


@cache
def _address() -> re.Pattern[str]:
    """Compiled when it is needed, which takes milliseconds: searches and kept answers have none of it."""
    return re.compile(
        rf"(?:\b[a-z][a-z0-9+.-]{{0,30}}:)?(?<![/\\])[/\\]{{2,}}+[^\s/\\]{_REST}|\bwww\d*\.\S{_REST}"
        rf"|(?:https?|\b(?:ftp|mailto|javascript|vbscript)):\S{_REST}|\bdata:\w+/\S{_REST}"
        rf"|(?<!{_LETTER})(?:{_LETTER}{{1,63}}{_DOT}){{1,8}}(?:{_ENDINGS}|(?<={_LETTER}{{2}}[.。．｡]){_COUNTRIES}){_BEHIND}"
        # "10.0.0.0/8" is a network and "4.1.2.3/4.1.2.4" two sections: they lead nowhere.
        rf"|(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?!/(?:\d{{1,2}}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})"
        rf"(?![\w/?#&=%~:@-]|\.\w)){_BEHIND}",
        re.IGNORECASE,
    )


def without_addresses(text: str, *, quotes: Sequence[str]) -> str:
    """REMOVED in the place of each address, but for mail addresses that stand in one of the ``quotes``.

    Of what may be a name with a path, or just words, the words stay, and a space makes it two.
    """

    def without(found: re.Match[str]) -> str:
        """What ends a sentence after an address stays."""
        address = found[0].rstrip(_TRAILING)
        if found.re is _MAIL and any(address.casefold() in quote.casefold() for quote in quotes):
            return found[0]
        return REMOVED + found[0][len(address) :]

    return _MAIL.sub(without, _NAME.sub(r"\g<0> ", _address().sub(without, text)))


def has_address(text: str) -> bool:
    return any(each.search(text) for each in (_address(), _NAME, _MAIL))


def is_address(word: str) -> bool:
    """Whether it begins with one that is removed."""
    return _address().match(word) is not None
