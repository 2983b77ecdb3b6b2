# syntax=docker/dockerfile:1
# The gpu worker: torch, diffusers and pocket's weights. Nothing that trains: deploy/models is not
# in it, and neither is a compiler. Weights of other engines are mounted (SITTER_WEIGHTS).
#   docker build -f deploy/docker/gpu.Dockerfile --build-arg BUILD="$(git rev-parse HEAD)" .
# torch's own wheel brings CUDA; the machine brings the driver (NVIDIA's container toolkit).
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# As in the Makefile: torch is pinned by version and not by hash, because its builds differ.
ARG TORCH=torch==2.13.0
WORKDIR /srv/sitter
COPY deploy/locks/gpu.txt /locks/
# accelerate asks for torch, and a lock with hashes takes only what is there already: torch first.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --no-deps "${TORCH}" \
    && python -m pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /locks/gpu.txt \
    && python -m pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: "${TORCH}"
COPY manage.py ./
COPY accounts accounts
COPY privacy privacy
COPY portraits portraits
COPY workers workers
COPY deploy deploy
RUN /venv/bin/python -m compileall -q /srv/sitter

FROM ${BASE} AS worker
ARG BUILD=""
LABEL org.opencontainers.image.title="sitter-gpu" \
      org.opencontainers.image.description="Sitter: the process that paints" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${BUILD}"
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip \
        /usr/local/bin/pip* \
    && groupadd --gid 10001 sitter \
    && useradd --uid 10001 --gid sitter --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sitter \
    && install -d -m 700 -o sitter -g sitter /keys/fleet /compiled
COPY --from=build /venv /venv
COPY --from=build /srv/sitter /srv/sitter
WORKDIR /srv/sitter
# Weights are read from their folder alone; the libraries are told not to look elsewhere.
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONMALLOC=malloc \
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
    DO_NOT_TRACK=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HF_HUB_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    DJANGO_SETTINGS_MODULE=deploy.settings \
    SITTER_PRODUCTION=true \
    SITTER_ROLE=gpu \
    SITTER_BUILD=${BUILD} \
    SITTER_READY_FILE=/tmp/ready
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10m --retries=3 \
    CMD ["python", "-m", "deploy.alive", "worker"]
ENTRYPOINT ["python", "-m"]
CMD ["celery", "-A", "workers.app", "worker", "-Q", "gpu", "-P", "threads", "-c", "1", "-E", \
     "--without-gossip", "--without-mingle", "--include", "deploy.stack.announce"]

# Only with --target compiling: engines paint faster compiled, and each kernel's launcher is built
# with a C compiler on the machine that paints. Whoever gets in finds it too; it is your choice.
FROM worker AS compiling
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001

FROM worker
