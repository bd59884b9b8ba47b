# Answers calls. No GPU, no model but the two that hear whether the caller speaks and has finished.
FROM python:3.12-slim
WORKDIR /app
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt '.[postgresql]'
ENV CLIENT_CALLER_MODELS=/opt/client-caller/models
RUN client-caller models pull
RUN useradd --create-home caller && mkdir /data && chown caller /data
USER caller
# Your agent, and client-caller.toml.
WORKDIR /agent
ENV CLIENT_CALLER_CALLS_DATA_DIR=/data CLIENT_CALLER_SERVER_HOST=0.0.0.0
VOLUME /data
EXPOSE 8080
# A stopped container lets the calls on its line end: at most half an hour.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["client-caller"]
CMD ["serve"]
