"""The laws of the report."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from client_caller.calls import report
from client_caller.calls.journal import Journal, JournalError, read
from client_caller.calls.lines import event_line
from client_caller.calls.report import render, write_report
from client_caller.conversation.events import LineQuality

PlayCall = Callable[..., Path]
NASTY = "<script>alert(1)</script> \"quoted\" & 'so' <img src=x onerror=alert(2)>"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--virtual-time-budget=2000",
    "--dump-dom",
)


class Page(HTMLParser):
    """The elements of a page by class, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, wanted: str, *classes: str) -> int:
        return sum(
            tag == wanted and set(classes) <= set(attributes.get("class", "").split())
            for tag, attributes in self.elements
        )


def dom(page: Path, profile: Path) -> str:
    """The page's elements after a real browser has run it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"None of {', '.join(names)} is on the PATH; install one.")
        pytest.skip(f"needs a browser: none of {', '.join(names)} is on the PATH")
    command = [browser, *FLAGS, f"--user-data-dir={profile}", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_browser_shows_all_its_parts(play_call: PlayCall, tmp_path: Path) -> None:
    """In a real browser: floor, waveforms, every word heard and unheard, barge-in, backchannel, tool, waterfalls, and
    the one script runs under the page's own security policy."""
    page = Page(dom(write_report(play_call()), tmp_path / "profile"))
    assert page.count("body", "playable") == 1
    assert page.count("audio") == 1
    assert page.count("path") == 2
    assert page.count("span", "band", "interrupted") == 1
    assert page.count("span", "band", "speaking") == 5
    assert page.count("span", "chip", "caller", "backchannel") == 1
    assert page.count("span", "barge-in") == 1
    assert page.count("span", "tool") == 1
    assert page.count("li", "caller") == 4
    assert page.count("li", "agent") == 4
    assert page.count("li", "backchannel") == 1
    assert page.count("span", "word") == 6 + 21 + 6 + 4
    assert page.count("s", "word") == 7
    assert page.count("table", "waterfall") == 3
    assert page.count("table", "summary") == 1
    assert "caller said goodbye" in page.text
    assert "+15550001" in page.text


def test_it_needs_nothing_but_itself(play_call: PlayCall) -> None:
    """No address in the page leads anywhere: every source is inside of it, and the policy forbids all others."""
    html = render(play_call())
    page = Page(html)
    sources = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster")
    ]
    assert [source[:22] for source in sources] == ["data:audio/flac;base64"]
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in re.sub(r'http-equiv="Content-Security-Policy"', "", html)
    (policy,) = (attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none';")


def test_nothing_that_was_said_becomes_markup(play_call: PlayCall) -> None:
    """Words of the caller and the model, numbers, tools and reasons are text, whatever they contain."""
    folder = play_call(script=[(3000, 4600, NASTY), (9000, 10_000, "Wait, is it in stock?")])
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace("+15550001", "<u>+1</u>").replace("large box", "<u>large</u>"))
    page = Page(render(folder))
    assert NASTY in page.text
    assert "<u>+1</u>" in page.text
    assert "<u>large</u>" in page.text
    assert page.count("script") == 1
    assert page.count("img") == page.count("u") == 0
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_a_call_without_recording_has_a_report(play_call: PlayCall) -> None:
    """The words, the floor and the ledger are there; no waveform, no player."""
    page = Page(render(play_call(recording="off")))
    assert "This call was not recorded." in page.text
    assert page.count("path") == page.count("audio") == 0
    assert page.count("table", "waterfall") == 3
    assert page.count("span", "band") > 5


def test_a_bad_line_is_among_the_totals(play_call: PlayCall) -> None:
    """With how long it was bad; nothing is said of a good one."""
    folder = play_call()
    assert "on a bad line" not in Page(render(folder)).text
    with (folder / "journal.jsonl").open("ab") as journal:
        for at, bad in ((60_000, True), (63_000, False)):
            journal.write(event_line(LineQuality(at, bad, -30, -30, 0)))
    assert re.search(r"\b3\s*s\s*on a bad line", Page(render(folder)).text)


def test_an_announced_recording_says_from_when(play_call: PlayCall) -> None:
    """The time of the consent is among the facts."""
    assert re.search(r"from 00:01\.\d, once the notice was heard", Page(render(play_call(recording="announce"))).text)


def test_a_long_recording_is_not_put_into_the_page(play_call: PlayCall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its waveform is, and the page says where the sound lies."""
    monkeypatch.setattr(report, "_EMBEDDED", 1000)
    page = Page(render(play_call()))
    assert page.count("path") == 2
    assert page.count("audio") == 0
    assert "recording.wav" in page.text


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
def test_a_broken_recording_is_left_out(play_call: PlayCall, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The report does without, and the log says why."""
    folder = play_call()
    (folder / "recording.wav").write_bytes(content)
    assert "This call was not recorded." in Page(render(folder)).text
    assert "can't be read" in caplog.text


def test_a_killed_and_a_resumed_call_say_so(play_call: PlayCall) -> None:
    """A journal that just stops ended without notice; one with two connections had one lost."""
    folder = play_call(killed=True, until=8000)
    assert "without notice" in Page(render(folder)).text
    play_call(until=3000, later=20.0)
    assert "after 1 lost connection" in Page(render(folder)).text


def test_a_call_in_which_nothing_happened_has_a_report(play_call: PlayCall) -> None:
    """Not one event, not one sample: the page says that nothing was said."""
    folder = play_call(until=0, recording="on")
    header = read(folder / "journal.jsonl")[0].header
    (folder / "journal.jsonl").unlink()
    Journal(folder / "journal.jsonl", header).close()
    page = Page(render(folder))
    assert "Nothing was said in this call." in page.text
    assert "No turn of the caller was answered" in page.text


def test_it_is_private_and_goes_where_it_is_told(play_call: PlayCall, tmp_path: Path) -> None:
    """In the call's folder by default, or at the given place; mode 0600."""
    folder = play_call()
    assert write_report(folder) == folder / "report.html"
    assert write_report(folder, tmp_path / "out.html").read_bytes() == (folder / "report.html").read_bytes()
    assert (folder / "report.html").stat().st_mode & 0o777 == 0o600


def test_a_folder_without_a_journal_has_no_report(tmp_path: Path) -> None:
    """There is nothing to report on: the error is the journal's."""
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path)
    (tmp_path / "journal.jsonl").write_bytes(b"x\n")
    with pytest.raises(JournalError):
        write_report(tmp_path)
