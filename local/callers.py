"""``make deploy CALLERS=file``: a map of callers, checked and as short as it goes, for the template's parameter."""

import re

from bucketwise.callers import callers_from_json

# The parameter's MaxLength.
MOST_CHARACTERS = 640


def shortened(text: str) -> str:
    """JSON without quotes or backslashes but its own, which SAM's command line would take for others.

    Raises ValueError about a map that ask would not take.
    """
    pairs = [f"{_quoted(arn)}:{_quoted(tenant)}" for arn, tenant in callers_from_json(text).items()]
    short = f"{{{','.join(pairs)}}}"
    if len(short) > MOST_CHARACTERS:
        raise ValueError(f"it is longer than {MOST_CHARACTERS} characters: let callers of a tenant assume one role")
    return short


def _quoted(text: str) -> str:
    return '"' + re.sub(r"[^ \w.,:/+=@-]", _escaped, text, flags=re.ASCII) + '"'


def _escaped(found: re.Match[str]) -> str:
    units = memoryview(found[0].encode("utf-16-le")).cast("H")
    return "".join(f"\\u{unit:04x}" for unit in units)
