# syntax=docker/dockerfile:1
# docker build -t lakesmith .
# docker run --rm -v "$PWD":/project -u "$(id -u):$(id -g)" lakesmith run

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# what cargo fetches and builds stays in the builder's cache, the binary goes on
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release \
    && cp target/release/lakesmith /lakesmith

# glibc, libgcc, certificates and time zones; no shell, no package manager; the user is nobody of the host
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /lakesmith /usr/local/bin/lakesmith
WORKDIR /project
ENTRYPOINT ["/usr/local/bin/lakesmith"]
CMD ["--help"]
