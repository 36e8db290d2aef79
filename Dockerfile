# The service as an image: not root, and with a read-only root file system. docs/operations.md has its commands.
# The images can be replaced by those of a mirror: docker build --build-arg PYTHON_IMAGE=… .
ARG NODE_IMAGE=node:24-slim
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${NODE_IMAGE} AS graphiql
WORKDIR /src/frontend/graphiql
COPY frontend/graphiql/package.json frontend/graphiql/package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY frontend/graphiql ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS packages
RUN python3 -m venv /opt/lms
ENV PATH=/opt/lms/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements-payments.txt ./
RUN pip install --require-hashes -r requirements-payments.txt
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY lms_graphql lms_graphql
COPY --from=graphiql /src/lms_graphql/static/graphiql lms_graphql/static/graphiql
RUN pip install --no-deps .

FROM ${PYTHON_IMAGE}
# The number of the user is fixed, so that owners of files in volumes stay the same.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin lms \
    && install -d -o lms -g lms -m 0750 /data
COPY --from=packages /opt/lms /opt/lms
ENV PATH=/opt/lms/bin:$PATH PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000
# A number, because Kubernetes cannot see from a name that it is not root.
USER 10001:10001
# The folder of `.env`. The service writes here only if it uses SQLite or runs in development.
WORKDIR /data
EXPOSE 8000
# Not /health/ready: without the database, a new container would not help.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python3", "-c", "\
import http.client, os; \
connection = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); \
connection.request('GET', '/health/live'); \
raise SystemExit(connection.getresponse().status != 200)"]
ENTRYPOINT ["lms-graphql"]
CMD ["serve"]
