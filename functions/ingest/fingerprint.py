"""Names the code and the settings that decide which chunks a given version of an object gets.

Apart from that code: reconcile has to know the fingerprint, and comes without the parsers' packages.
"""

from bucketwise.settings import Settings

PARSER_VERSION = "3"
"""To be raised when the same bytes would give another text."""

CHUNKER_VERSION = "3"
"""To be raised when the same text would be cut otherwise."""

ANALYSER_VERSION = "3"
"""To be raised when the same text would have other terms."""


def fingerprint(given: Settings) -> str:
    """A document that was made under another fingerprint is made anew by the next reconcile.

    The embedding model is not among it: an index holds vectors of one model, and changes it as a whole.
    """
    chunks = f"{given.chunk_tokens}/{given.chunk_overlap_tokens}"
    return f"parser {PARSER_VERSION}, chunker {CHUNKER_VERSION} {chunks}, words {ANALYSER_VERSION} {given.language}"
