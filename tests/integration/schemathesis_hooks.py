"""Schemathesis hooks: requests that may be refused though they match the schema."""

import re
from typing import Any

import schemathesis

BEYOND_SCHEMAS = re.compile(
    # Of two parameters, of one and the time of day, or of one and what is stored.
    "a time not before start|a time that is not in the future|a time at most 30 days from now"
    "|exit_z below entry_z|at most the window|an intercept with method|an intercept, or transform|two different symbols"
    "|a window of at least 30 samples|a .z. beyond the pair.s entry_z"
    "|two symbols that are collected|at most 10000 as JSON|one of |a multiple of|[0-9]+ symbols, one for each file"
    "|at least two (different )?symbols|at most [0-9,]+ closes of all symbols|at most [0-9,]+ symbols, which"
    "|listed=true beside it|a dataset beside it|at most [0-9,]+ bars of each of"
    # Of the levels and times of a rule, of its name and its address.
    "|at most fire|at least fire|fire_low|more than 0|from 0 to fire|seconds from 1 to 86400|none with|none unless"
    "|another one with|false unless|metrics of one kind|a metric of a|[01] with crosses|more than for_s"
    "|one that is not of a stretch|a time after start_us|.*as in the address|a rule of pairs|a time before the end"
    "|letters a-z|printed characters|a placeholder|braces in pairs|a time HH:MM"
    # Of a target: its address and its secret.
    "|whsec_ and|https?:// or|a URL |an address |none, because"
    # Of a text that means something.
    "|a next_cursor of this resource|a symbol such as|a pair Y-X such as|a time from 1970 to 9999"
    "|JSON$|a valid dictionary|a zone such as|a format such as|up to 100 letters|Unusable file"
)
"""Beginnings of what a problem names as expected."""


@schemathesis.check
def only_what_no_schema_can_say_is_refused(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Fail if a request that keeps to the schema is invalid for a reason that the schema could have named."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = response.json()
    for error in problem.get("errors") or [{"expected": problem["title"]}]:
        assert BEYOND_SCHEMAS.match(error["expected"]), error
