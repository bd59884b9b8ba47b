"""What our speech servers share at `/v1/audio/speech`: OpenAI's request, and a refusal as its clients read it."""

from typing import Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

RETRY_AFTER = 2
"""Seconds: by then somebody may have hung up, or the engine may have caught up."""
FULL = "This server has no room for one more call at present."


class SpeechRequest(BaseModel):
    """OpenAI's request for speech, as far as it means something here; the rest of it is passed over."""

    input: str = Field(max_length=4096)
    """The limit is OpenAI's own (platform.openai.com, "Create speech")."""
    voice: str
    response_format: Literal["pcm"] = "pcm"


def refusal(status: int, reason: str) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return JSONResponse({"error": {"message": reason, "type": "invalid_request_error"}}, status, headers)


def audio_type(sample_rate: int) -> str:
    """The content type of raw PCM, which cannot say its own rate."""
    return f"audio/pcm;rate={sample_rate}"
