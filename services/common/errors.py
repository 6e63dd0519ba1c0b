"""Three classes of errors. Each message says what was expected, what was received, and where."""


class PairstreamError(Exception):
    """Base of every error pairstream raises itself."""


def reason_of(error: BaseException) -> str:
    """Return what an error says, on one line; its class if it says nothing.

    >>> reason_of(ValueError("two", "lines")), reason_of(OSError("a\\n  b")), reason_of(TimeoutError())
    ("('two', 'lines')", 'a b', 'TimeoutError')
    """
    return " ".join(str(error).split()) or type(error).__name__


class BadMessageError(PairstreamError):
    """Bad input that can never be processed: count it, send it to ``dead-letters``, go on."""


class TransientError(PairstreamError):
    """The network or a server is away: retry with capped, jittered back-off."""


class AwayError(TransientError):
    """Server that does not answer; `told` names it for everybody, while the text also tells its address."""

    def __init__(self, server: str, text: str) -> None:
        super().__init__(text)
        self.told = f"{server} does not answer"


class RefusedError(AwayError):
    """A server that answers and lets us not in: a wrong password, no such user or database."""

    def __init__(self, server: str, text: str) -> None:
        super().__init__(server, text)
        self.told = f"{server} refuses the login"


class FatalError(PairstreamError):
    """Going on would be wrong (a setting, a schema, a broken invariant): one line, exit non-zero."""
