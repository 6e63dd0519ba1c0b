"""Entry point of the worker processes: its imports stay out of the API process."""

from services.api.analysis.requests import AnalysisRequest


def solve(question: AnalysisRequest) -> bytes:
    """Return the answer to `question`.

    For workers: what this imports would hold up the start of the API for seconds.
    """
    from services.api.analysis import worker

    return worker.solve(question)
