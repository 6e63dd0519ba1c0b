"""The entry point of worker processes: what it imports stays out of the API itself."""

from services.api.analysis.requests import AnalysisRequest


def solve(question: AnalysisRequest) -> bytes:
    """Return the answer to `question`.

    For workers: what this imports would hold up the start of the API for seconds.
    """
    from services.api.analysis import worker

    return worker.solve(question)
