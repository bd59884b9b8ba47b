# Speaks. PyTorch's wheels bring their own CUDA 13; the host needs only its driver. Weights and voice are mounted.
FROM python:3.12-slim
WORKDIR /app
RUN pip install --no-cache-dir 'torch>=2.11,<3'
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir '.[csm]'
RUN useradd --create-home voice
USER voice
ENV HF_HUB_OFFLINE=1
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=300s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8001/healthz', timeout=4)"]
ENTRYPOINT ["client-caller", "models", "serve", "csm"]
CMD ["--weights", "/models/csm-1b", "--voice", "/models/voice.toml", "--device", "cuda", "--host", "0.0.0.0"]
