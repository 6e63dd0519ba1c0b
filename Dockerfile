# One image definition for every service: docker build --build-arg SERVICE=ingest .
FROM python:3.11-slim AS build
WORKDIR /app
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN pip install --no-cache-dir uv==$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock) \
    && uv venv && uv pip install --require-hashes --requirements requirements.lock
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
