# One image with all programs: agentidp-operator, agentidp-token-service, agentidp-management-api and kubectl-agentidp, each a command on
# the PATH.
#
#   docker build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --tag agentidp:0.1.0 .
#
# docs/guides/install.md says what makes two builds alike. Nothing but a package index and the base image is fetched.
ARG BASE_IMAGE=python:3.12-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# Wheels only: no compiler is needed, and none of what is installed runs code of its own while it is.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/agentidp \
    && python -m pip --python /opt/agentidp/bin/python install --no-compile --no-deps --require-hashes \
        --requirement requirements.lock \
    && python -m pip install --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY agentidp agentidp
COPY operator operator
COPY token_service token_service
COPY management_api management_api
COPY kubectl_agentidp kubectl_agentidp
# The time in the wheel and of all files; 1980 is the earliest that a wheel can have.
ARG SOURCE_DATE_EPOCH=315532800
# Byte code also of the standard library, which base images leave out: the root file system is read-only, so each start would compile
# it anew. It is bound to the sources by nothing, since they cannot change; one process and one seed make it the same in each build.
# Of the Kubernetes client's thousand modules the programs load some thirty, so the others are not compiled.
RUN SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" python -m hatchling build --target wheel --directory /dist \
    && python -m pip --python /opt/agentidp/bin/python install --no-compile --no-deps --no-index /dist/*.whl \
    && PYTHONPYCACHEPREFIX=/opt/agentidp/bytecode PYTHONHASHSEED=0 \
        /opt/agentidp/bin/python -m compileall -q -f --invalidation-mode unchecked-hash \
        -x 'kubernetes/(aio/)?client/(api|models)/|/(test|idlelib|lib2to3|tkinter|turtledemo|ensurepip)/|^/usr/.*/site-packages/' \
        "$(python -c 'import os; print(os.path.dirname(os.__file__))')" /opt/agentidp/lib \
    && find /opt/agentidp -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE_IMAGE}
COPY --from=build /opt/agentidp /opt/agentidp
ENV PATH=/opt/agentidp/bin:$PATH PYTHONPYCACHEPREFIX=/opt/agentidp/bytecode PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that the kubelet can see that it is not root.
USER 65532:65532
WORKDIR /
EXPOSE 8080 8081 8082
CMD ["agentidp-operator"]
# Last, so that layers are shared by versions that differ in nothing else.
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=""
LABEL org.opencontainers.image.title="AgentIdP for Kubernetes" \
      org.opencontainers.image.description="An identity provider for AI agents that lives inside Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
