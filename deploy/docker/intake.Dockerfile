# syntax=docker/dockerfile:1
# The intake: it opens uploads, cleans and checks them. Decoders and the face gate, no torch.
#   docker build -f deploy/docker/intake.Dockerfile --build-arg BUILD="$(git rev-parse HEAD)" .
# Run it under deploy/docker/seccomp/intake.json: its sandboxed child asks for namespaces of its own.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /srv/sitter
COPY deploy/locks/intake.txt /locks/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /locks/intake.txt
COPY manage.py ./
COPY accounts accounts
COPY privacy privacy
COPY portraits portraits
COPY workers workers
COPY deploy deploy
RUN /venv/bin/python -m compileall -q /srv/sitter /venv/lib

FROM ${BASE}
ARG BUILD=""
LABEL org.opencontainers.image.title="sitter-intake" \
      org.opencontainers.image.description="Sitter: the process that opens uploads" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${BUILD}"
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip \
        /usr/local/bin/pip* \
    && groupadd --gid 10001 sitter \
    && useradd --uid 10001 --gid sitter --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sitter \
    && install -d -m 700 -o sitter -g sitter /keys/fleet
COPY --from=build /venv /venv
COPY --from=build /srv/sitter /srv/sitter
WORKDIR /srv/sitter
# One thread of arithmetic: it shares its machine with others, and a photo needs no more.
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONMALLOC=malloc \
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
    DO_NOT_TRACK=1 \
    ORT_DISABLE_TELEMETRY=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    DJANGO_SETTINGS_MODULE=deploy.settings \
    SITTER_PRODUCTION=true \
    SITTER_ROLE=intake \
    SITTER_SANDBOX_STRICT=true \
    SITTER_BUILD=${BUILD} \
    SITTER_READY_FILE=/tmp/ready
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "deploy.alive", "worker"]
ENTRYPOINT ["python", "-m"]
CMD ["celery", "-A", "workers.app", "worker", "-Q", "intake", "-P", "threads", "-c", "2", "-E", \
     "--without-gossip", "--without-mingle", "--include", "deploy.stack.announce"]
