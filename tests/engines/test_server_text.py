"""What servers say about failures, made fit for errors."""

import pytest

from client_caller.engines.server_text import MAX_CHARACTERS, message_of, printable


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"no such model","code":404}}', "no such model"),
        (b'{"error":"no such model"}', "no such model"),
        (b'{"object":"error","message":"too long"}', "too long"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (b'{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}', "Invalid API key"),
        (b'{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}', "Invalid credentials."),
        (b'{"detail":[{"loc":["body"]}]}', '[{"loc":["body"]}]'),
        (b"upstream is down", "upstream is down"),
        (b"<html>502</html>", ""),
        (b"", ""),
    ],
)
def test_message_of(body: bytes, message: str) -> None:
    """The sentence for people is found in every form that servers use."""
    assert message_of(body) == message


def test_printable_is_short_plain_and_without_the_secret() -> None:
    """One line, no control characters, at most 300 characters, and never the key."""
    said = printable("bad key sk-1234\x1b[31m\nnext" + " x" * 500, "sk-1234", ())
    assert said.startswith("bad key *** [31m next")
    assert "sk-1234" not in said
    assert len(said) <= MAX_CHARACTERS
    assert said.isprintable()


@pytest.mark.parametrize(
    "private",
    ["My card number is 4111, thanks", "4711", 'He said: "card number is" twice'],
)
def test_a_message_that_quotes_the_caller_is_not_shown(private: str) -> None:
    """Three words in a row of a caller's text, or all of a short one, hide the message, however it is escaped."""
    message = 'invalid input: {\\"content\\": \\"my CARD number is, 4711\\"}'
    assert "not shown" in printable(message, None, ["unrelated words entirely", private])


def test_a_message_of_its_own_words_is_shown() -> None:
    """A message that shares single words with the caller's stays readable."""
    message = "The model does not exist"
    assert printable(message, None, ["Which model is the one that does it?", ""]) == message
