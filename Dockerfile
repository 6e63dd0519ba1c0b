# One image definition for every service: docker build --build-arg SERVICE=ingest .
# SERVICE names an extra of pyproject.toml; the image has what that needs, from the one lock, each file by its hash.
ARG BASE=docker.io/library/python:3.11.15-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements.lock ./
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.lock \
    && python3 -m venv /uv \
    && /uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement uv.lock
ENV UV_NO_CACHE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/app
ARG SERVICE
COPY pyproject.toml ./
# What no service uses stays out: the tests of libraries, Arrow's headers, its RPC and its client of S3.
RUN test -n "$SERVICE" \
    && /uv/bin/uv venv --quiet --python "$(command -v python3)" /app \
    && /uv/bin/uv pip install --require-hashes --constraint requirements.lock \
        --requirement pyproject.toml --extra "$SERVICE" \
    && find /app/lib \( -type d \( -name tests -o -path '*/pyarrow/include' -o -path '*/pyarrow/src' \) \
        -o -name 'libarrow*_flight.so*' -o -path '*/pyarrow/_flight.*' \
        -o -name 'libarrow_s3.so*' -o -path '*/pyarrow/_s3fs.*' \) -prune -exec rm -rf {} +
COPY README.md LICENSE ./
COPY schemas schemas
COPY services services
RUN /uv/bin/uv pip install --no-deps --build-constraints requirements.lock . \
    && /app/bin/python -m compileall -q --invalidation-mode unchecked-hash /app/lib

FROM ${BASE}
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pairstream ${SERVICE}" \
    org.opencontainers.image.description="Live pair analytics for crypto futures" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# What runs installs nothing. The uid is fixed, so that files and volumes can be given to it.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
        /usr/lib/python3*/ensurepip /usr/share/python-wheels \
    && useradd --uid 10001 --user-group --no-create-home --no-log-init --shell /usr/sbin/nologin pairstream
COPY --from=build /app /app
USER 10001:10001
WORKDIR /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SERVICE=${SERVICE} \
    PAIRSTREAM_METRICS_PORT=9100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "services.common.health_check"]
CMD ["sh", "-c", "exec python -m services.$SERVICE"]
