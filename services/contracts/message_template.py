"""Messages of rules: text with fields of a whitelist and their formats, ``{zscore:+.2f}``, and nothing else."""

import re
from collections.abc import Mapping
from string import Formatter

from services.contracts.metrics import METRICS

TEXTS = ("rule", "name", "subject", "state", "metric", "severity", "incident_id", "reason", "time")
NUMBERS = ("value", "threshold", "duration_s", *METRICS)
UNKNOWN = "n/a"
"""Text of an unknown number."""

# No width or precision that fills memory.
_OF_NUMBER = re.compile(r"[<>^]?[+\- ]?0?\d{0,2},?(\.\d{1,2})?[eEfFgGn%]?")
_OF_TEXT = re.compile(r"[<>^]?\d{0,2}(\.\d{1,2})?s?")


def check(template: str) -> None:
    """Raise a ValueError, with what was expected and received, unless `template` can be filled."""
    for field, spec in _fields(template):
        if field not in TEXTS and field not in NUMBERS:
            known = ", ".join((*TEXTS, *NUMBERS))
            raise ValueError(f"expected a placeholder among {known}, received {{{field}}}")
        pattern, example = (_OF_TEXT, ">12") if field in TEXTS else (_OF_NUMBER, "+.2f")
        if not pattern.fullmatch(spec):
            raise ValueError(f"expected a format such as {{{field}:{example}}}, received {{{field}:{spec}}}")


def fill(template: str, texts: Mapping[str, str], numbers: Mapping[str, float | None]) -> str:
    """Return the message; `template` has been checked.

    >>> fill("{subject} at {zscore:+.1f}, {spread}", {"subject": "A-B"}, {"zscore": 2.345, "spread": None})
    'A-B at +2.3, n/a'
    """
    filled = []
    for text, field, spec, _ in Formatter().parse(template):
        filled.append(text)
        if field is None:
            continue
        if field in TEXTS:
            filled.append(format(texts.get(field, ""), spec or ""))
        elif (number := numbers.get(field)) is None:
            filled.append(UNKNOWN)
        else:
            filled.append(format(number, spec or "g"))
    return "".join(filled)


def _fields(template: str) -> list[tuple[str, str]]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"expected braces in pairs, {{{{ for one that is text, received {template!r}: {error}"
        ) from None
    for _, field, _, conversion in parsed:
        if conversion:
            raise ValueError(f"expected a placeholder without conversion, received {{{field}!{conversion}}}")
    return [(field, spec or "") for _, field, spec, _ in parsed if field is not None]
