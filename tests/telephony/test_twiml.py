"""TwiML: the verbs in the order that a call needs, and nothing that breaks out of its place."""

from xml.etree.ElementTree import Element, fromstring

from client_caller.telephony import twiml


def parse(text: str) -> Element:
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    response = fromstring(text.encode())
    assert response.tag == "Response"
    return response


def test_connect_is_followed_by_the_way_back() -> None:
    """The stream has its token as a parameter, and a Redirect stands behind it."""
    response = parse(
        twiml.connect(
            stream_url="wss://a.example/media",
            stream_status_url="https://a.example/voice/stream-status",
            resume_url="https://a.example/voice/resume?resumes=1&x=2",
            token='t"<&>',
        )
    )
    connect, redirect = response
    (stream,) = connect
    (parameter,) = stream
    assert (connect.tag, stream.tag, parameter.tag, redirect.tag) == ("Connect", "Stream", "Parameter", "Redirect")
    assert stream.get("url") == "wss://a.example/media"
    assert stream.get("statusCallback") == "https://a.example/voice/stream-status"
    assert parameter.attrib == {"name": "token", "value": 't"<&>'}
    assert redirect.get("method") == "POST"
    assert redirect.text == "https://a.example/voice/resume?resumes=1&x=2"


def test_the_ends_of_a_call() -> None:
    """Hanging up, the busy tone, and an apology that ends in hanging up."""
    assert [verb.tag for verb in parse(twiml.hang_up())] == ["Hangup"]
    (reject,) = parse(twiml.busy())
    assert (reject.tag, reject.get("reason")) == ("Reject", "busy")
    say, hangup = parse(twiml.apologise("Sorry <now> & then", "de-DE"))
    assert (say.text, say.get("language"), hangup.tag) == ("Sorry <now> & then", "de-DE", "Hangup")


def test_a_language_without_a_region_is_left_to_the_provider() -> None:
    """Twilio knows `en-GB` but not `en`."""
    assert parse(twiml.apologise("Sorry", "en"))[0].attrib == {}
