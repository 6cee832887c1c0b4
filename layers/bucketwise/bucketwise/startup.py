"""A function's start without looking for garbage: imported before all else, and told when all is imported.

Importing makes some hundred thousand objects, nearly all of which stay. Python goes through them again and again in
search of cycles that nothing refers to, which takes up to a third of a start's CPU time
(`python -m bench.coldstart`). So nothing is looked for until all is there; and what is there then is left out of every
later search, which a request would wait for.
"""

import gc

gc.disable()


def imported() -> None:
    """From here on garbage is collected, but for what was imported until now."""
    gc.freeze()
    gc.enable()
