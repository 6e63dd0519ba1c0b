"""Role of the page's key: whether the API lets the page change anything."""

from services.common.errors import TransientError
from services.ui.api import problems
from services.ui.api.client import ApiClient

# The API looks at the role before it looks for the rule, and no rule can have this id.
_NO_RULE = "/v1/rules/-"


async def why_reader(client: ApiClient) -> str:
    """Return why the page may change nothing, empty if it may or that is not known."""
    try:
        answer = await client.send("DELETE", _NO_RULE)
    except TransientError:
        return ""  # the banner says that the API is away; a button that is pressed says why it failed
    return f"Read only. {problems.read(answer).rest}" if answer.status_code in problems.FORBIDDEN else ""
