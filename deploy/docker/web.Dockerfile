# syntax=docker/dockerfile:1
# The web, and whoever opens no picture: upkeep, keeper, courier, beat, Flower, the migrator. No
# torch, no image library, no weights. From the repository's root:
#   docker build -f deploy/docker/web.Dockerfile --build-arg BUILD="$(git rev-parse HEAD)" .
# Give BASE by its digest in a release; a tag may be another image tomorrow.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /srv/sitter
COPY deploy/locks/web.txt /locks/
# Wheels only, each by its hash: nothing is compiled, and no package runs code of its own here. A
# private registry's address comes as a secret, which no layer and no history keeps.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /locks/web.txt
COPY manage.py ./
COPY accounts accounts
COPY privacy privacy
COPY portraits portraits
COPY workers workers
COPY deploy deploy
# The key is made for this command and forgotten with it.
RUN SITTER_PRODUCTION=true SITTER_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(32))')" \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /venv/bin/python -m compileall -q /srv/sitter /venv/lib

FROM ${BASE}
ARG BUILD=""
LABEL org.opencontainers.image.title="sitter-web" \
      org.opencontainers.image.description="Sitter: the web and the roles without pictures" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${BUILD}"
# Who gets in finds no installer.
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/lib/python3.11/ensurepip \
        /usr/local/bin/pip* \
    && groupadd --gid 10001 sitter \
    && useradd --uid 10001 --gid sitter --no-create-home --home-dir /tmp --shell /usr/sbin/nologin sitter \
    && install -d -m 700 -o sitter -g sitter /keys/root /keys/receipt /keys/evidence /keys/grant
COPY --from=build /venv /venv
COPY --from=build /srv/sitter /srv/sitter
WORKDIR /srv/sitter
# Freed memory is overwritten down to the last name (privacy/memory.py); no library phones its maker.
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONMALLOC=malloc \
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
    DO_NOT_TRACK=1 \
    DJANGO_SETTINGS_MODULE=deploy.settings \
    SITTER_PRODUCTION=true \
    SITTER_ROLE=web \
    SITTER_BUILD=${BUILD} \
    SITTER_READY_FILE=/tmp/ready
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "deploy.alive", "web"]
ENTRYPOINT ["python", "-m"]
CMD ["gunicorn", "deploy.asgi:application", "-k", "deploy.server.Worker", "-w", "2", \
     "--bind", "0.0.0.0:8000", "--no-control-socket", "--worker-tmp-dir", "/tmp", \
     "--graceful-timeout", "30"]
