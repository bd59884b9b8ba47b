"""What a server says about its own failure, made fit for our errors and logs: short, one line, nothing private."""

import re
from collections.abc import Iterable

import msgspec

MAX_CHARACTERS = 300


def message_of(body: bytes) -> str:
    """What an error's body says to people, or nothing: the message in the JSON of OpenAI, vLLM, FastAPI, Deepgram or
    ElevenLabs, else a line of plain text."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode(errors="replace").strip()
        return "" if text.startswith("<") else text
    for key in ("error", "detail", "message", "err_msg"):
        if isinstance(said, dict) and said.get(key):
            said = said[key]
    return said if isinstance(said, str) else msgspec.json.encode(said).decode()


def printable(message: str, secret: str | None, private: Iterable[str]) -> str:
    """The message on one line of at most 300 characters, without the secret; nothing of it if it quotes something
    private: servers like to return the input that they refuse."""
    if secret:
        message = message.replace(secret, "***")
    if _quotes(message, private):
        return "(not shown, because the message quotes the conversation)"
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return line[:MAX_CHARACTERS].rstrip(". ")


def _quotes(message: str, private: Iterable[str]) -> bool:
    """Whether three words in a row of a private text (all of a shorter one) are in the message, however escaped."""
    said = f" {' '.join(_words(message))} "
    for text in private:
        words = _words(text)
        width = min(3, len(words))
        runs = (words[i : i + width] for i in range(len(words) - width + 1)) if words else ()
        if any(f" {' '.join(run)} " in said for run in runs):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
