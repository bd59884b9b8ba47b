# Hears. CTranslate2 wants CUDA 12 (model tier: an image of its own), which these two packages bring.
FROM python:3.12-slim
WORKDIR /app
RUN pip install --no-cache-dir nvidia-cublas-cu12 nvidia-cudnn-cu12
ENV LD_LIBRARY_PATH=/usr/local/lib/python3.12/site-packages/nvidia/cublas/lib:/usr/local/lib/python3.12/site-packages/nvidia/cudnn/lib
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir '.[whisper]'
ENV CLIENT_CALLER_MODELS=/opt/client-caller/models
RUN client-caller models pull silero-vad
RUN useradd --create-home ear
USER ear
EXPOSE 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8002/healthz', timeout=4)"]
ENTRYPOINT ["client-caller", "models", "serve", "whisper"]
CMD ["--model", "large-v3-turbo", "--device", "cuda", "--host", "0.0.0.0"]
