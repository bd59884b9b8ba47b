"""What a webhook answers: the TwiML of a call's beginning, its continuation and its end.

`<Connect><Stream>` blocks until the WebSocket closes; then Twilio goes on with the next verb, with the same CallSid.
The `<Redirect>` behind it is therefore both the way in which a call ends (its webhook answers `<Hangup>`) and the way
in which it survives the loss of a connection or of this process (Twilio's references of `<Connect>` and `<Stream>`).
"""

from xml.etree.ElementTree import Element, SubElement, tostring

CONTENT_TYPE = "application/xml"


def connect(*, stream_url: str, stream_status_url: str, resume_url: str, token: str) -> str:
    """Open the media stream; come back to `resume_url` when it is over.

    `stream_url` must be `wss` and may not have a query, which Twilio would cut off: the token goes as a parameter.
    """
    response = Element("Response")
    stream = SubElement(
        SubElement(response, "Connect"),
        "Stream",
        {"url": stream_url, "statusCallback": stream_status_url, "statusCallbackMethod": "POST"},
    )
    SubElement(stream, "Parameter", {"name": "token", "value": token})
    SubElement(response, "Redirect", {"method": "POST"}).text = resume_url
    return _xml(response)


def hang_up() -> str:
    """End the call."""
    response = Element("Response")
    SubElement(response, "Hangup")
    return _xml(response)


def busy() -> str:
    """Refuse a call that has not been answered yet: the caller hears the busy tone, in no language and at no cost."""
    response = Element("Response")
    SubElement(response, "Reject", {"reason": "busy"})
    return _xml(response)


def apologise(words: str, language: str) -> str:
    """Say `words` in the provider's own voice, then end the call.

    `language` is BCP 47; Twilio wants a region in it, and without one its own default holds.
    """
    response = Element("Response")
    SubElement(response, "Say", {"language": language} if "-" in language else {}).text = words
    SubElement(response, "Hangup")
    return _xml(response)


def _xml(response: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(response, encoding="unicode")
