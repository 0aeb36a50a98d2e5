# One image; its command chooses the role: `serve` (the default), `publish`, `check`, `render`, …
# It shows the demo's folder. To serve what is published: an empty RENDER_CATALOGUE, and the bucket
# in RENDER_RELEASES.
# The base is pinned by its full version; a release pipeline that reaches the registry should add
# the digest (`@sha256:…`), which could not be looked up where this was written.
ARG BASE=python:3.11.14-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PKG_CONFIG=false
WORKDIR /src
COPY locks/build.txt locks/run.txt locks/
# Everything comes by its hash; pyvips as source, built here without a compiler.
RUN python3 -m venv /build \
 && /build/bin/pip install --require-hashes --only-binary=:all: -r locks/build.txt \
 && /build/bin/pip wheel --require-hashes --only-binary=:all: --no-binary=pyvips \
      --no-build-isolation --wheel-dir /wheels -r locks/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY render_service render_service
RUN /build/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . \
 && python3 -m venv --without-pip /opt/render-service \
 && /build/bin/pip --python /opt/render-service/bin/python install --no-index --no-deps /wheels/*

FROM ${BASE}
# The service installs nothing: what could is taken out.
RUN rm -rf /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip \
      /usr/local/bin/pip* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin render \
 && install --directory --owner=render --group=render /data
COPY --from=build /opt/render-service /opt/render-service
COPY compositions /srv/compositions
# MALLOC_ARENA_MAX: libvips allocates from many threads; glibc's arenas would keep what it frees.
ENV PATH=/opt/render-service/bin:$PATH \
    MALLOC_ARENA_MAX=2 \
    PYTHONUNBUFFERED=1 \
    RENDER_CATALOGUE=/srv/compositions \
    RENDER_DATA=/data \
    RENDER_HOST=0.0.0.0 \
    RENDER_LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('RENDER_PORT', '8000')}/livez\", timeout=2)"]
ENTRYPOINT ["render-service"]
CMD ["serve"]
