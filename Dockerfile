# One image definition for every service: docker build --build-arg SERVICE=ingest .
FROM python:3.11-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /bin/uv
WORKDIR /app
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN uv venv && uv pip install --require-hashes --requirements requirements.lock
COPY schemas schemas
COPY services services
RUN uv pip install --no-deps --no-build-isolation --editable .

FROM python:3.11-slim
ARG SERVICE
RUN useradd --system --no-create-home pairstream
COPY --from=build /app /app
WORKDIR /app
USER pairstream
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 SERVICE=${SERVICE}
CMD ["sh", "-c", "exec python -m services.$SERVICE"]
