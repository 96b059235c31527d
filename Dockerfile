# syntax=docker/dockerfile:1
# A function, or the worker for slow videos, as a container image, by the recipe that `make lambda` runs anywhere:
#   docker build --target worker -t photovault-worker .
#   docker build --target function --build-arg FUNCTION=thumbnail -t photovault-thumbnail .
# For Graviton: --platform linux/arm64 --build-arg ARCHITECTURE=arm64. The first stage cross-compiles, so nothing is emulated; what
# functions share is compiled once and kept in Docker's cache.

FROM --platform=$BUILDPLATFORM rust:1.95-bookworm AS build
ARG ARCHITECTURE=x86_64 FUNCTION=video
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# apt's lists stay: scripts/fetch.sh asks them where Debian's pool is. Nothing of this stage is shipped.
# hadolint ignore=DL3008,DL3009
RUN apt-get update && apt-get install -y --no-install-recommends cmake nasm clang libclang-dev pkg-config python3-venv xz-utils
WORKDIR /source
COPY . .
ENV XDG_CACHE_HOME=/cache PHOTOVAULT_VENV=/venv CARGO_TARGET_DIR=/cache/target ARCHITECTURE=${ARCHITECTURE}
RUN --mount=type=cache,target=/cache --mount=type=cache,target=/usr/local/cargo/registry \
    python3 -m venv "$PHOTOVAULT_VENV" && \
    "$PHOTOVAULT_VENV/bin/pip" install --no-cache-dir $(grep -E "^(ziglang|cargo-zigbuild|meson|ninja)==" tests/requirements.txt) && \
    scripts/lambda.sh media "$FUNCTION" && cp -R "$CARGO_TARGET_DIR/lambda/$ARCHITECTURE" /built

# One function, as Lambda runs it from an image: no layers there, so the libraries come along.
FROM public.ecr.aws/lambda/provided:al2023 AS function
ARG FUNCTION
COPY --from=build /built/media/ /opt/
COPY --from=build /built/${FUNCTION}/bootstrap /var/runtime/bootstrap
CMD ["bootstrap"]

# Videos that would not end within Lambda's 15 minutes, on Fargate: the same program, asked for its queue.
FROM public.ecr.aws/amazonlinux/amazonlinux:2023-minimal AS worker
COPY --from=build /built/media/ /opt/
COPY --from=build /built/video/bootstrap /usr/local/bin/video
ENV LD_LIBRARY_PATH=/opt/lib
USER 65534:65534
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/video"]
CMD ["--worker"]
