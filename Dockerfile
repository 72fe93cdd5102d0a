# syntax=docker/dockerfile:1
#
#   docker build -t stt-ctc .                                     CPU
#   docker build -t stt-ctc:cuda --build-arg TORCH_BACKEND=cu132 . CUDA
#   docker build -t stt-ctc:cluster --build-arg EXTRAS=cluster .   Ray Serve
#   docker run -p 8400:8400 -v stt-models:/models -v stt-state:/state --read-only --tmpfs /tmp stt-ctc
#
# An exact version; docs/deployment.md says how to add its digest.
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm
FROM ${PYTHON_IMAGE} AS build
# uv takes torch from this backend's index, so a CPU image holds no gigabytes of CUDA. All versions,
# torch's too, are the locked ones. What comes from PyPI has to have the locked hashes; torch is another
# build there than in the lock.
ARG TORCH_BACKEND=cpu
# Of pyproject.toml, between spaces: cluster openvino otel postgres spacing.
ARG EXTRAS=""
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock ./
RUN set -- --quiet --frozen --no-dev --no-emit-project --no-header --no-annotate \
    && for extra in ${EXTRAS}; do set -- "$@" --extra "${extra}"; done \
    && uv export "$@" --prune torch --output-file hashed.txt \
    && uv export "$@" --no-hashes | grep -Ev '^(nvidia|cuda|triton)' > locked.txt \
    && uv venv /opt/stt \
    && uv pip install --python /opt/stt --require-hashes --no-deps -r hashed.txt \
    && uv pip install --python /opt/stt --torch-backend "${TORCH_BACKEND}" --constraint locked.txt torch
COPY README.md LICENSE NOTICE server_stt.py ./
COPY samples ./samples
COPY stt ./stt
RUN uv pip install --python /opt/stt --no-deps .

FROM ${PYTHON_IMAGE}
# KubeRay calls `ray` from a login shell, which resets PATH.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin stt \
    && mkdir /models /state && chown stt /models /state \
    && ln -s /opt/stt/bin/ray /usr/local/bin/ray
COPY --from=build /opt/stt /opt/stt
# The service writes to /models (weights), /state (jobs) and /tmp (uploads, numba's cache) only, so
# the root file system can be read-only.
ENV PATH=/opt/stt/bin:$PATH \
    HOME=/tmp \
    HF_HOME=/models \
    STT_STATE_DIR=/state \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /models /state
WORKDIR /tmp
EXPOSE 8400
# The first start downloads 1.3 GB; meanwhile the container is "starting", not "unhealthy".
HEALTHCHECK --start-period=30m --start-interval=2s --interval=15s --timeout=5s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('STT_PORT') or 8400}/health\", timeout=4)"]
CMD ["stt", "serve"]
