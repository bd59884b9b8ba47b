"""The laws of `bench callers`: all difficult callers are treated well, and where one is not, it says so."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.calls.replay import replay
from client_caller.calls.store import JOURNAL
from client_caller.cli.callers_bench import LAWS, CallersBench, Failure, Verdict
from client_caller.cli.main import app
from client_caller.simulator.difficult import DifficultCaller, load_callers


@pytest.mark.slow
def test_difficult_callers_are_treated_well(silero_path: Path, tmp_path: Path) -> None:
    """Everybody's rules hold."""
    verdicts = CallersBench(load_callers(), silero_path, tmp_path, lambda verdict: None).run()
    failed = {one.name: one.failure for one in verdicts if one.failure is not None}
    assert not failed


def test_a_call_leaves_a_journal_that_replays(silero_path: Path, tmp_path: Path) -> None:
    """What a caller uncovers can be looked into: the journal lies in a folder of their name."""
    result = CliRunner().invoke(app, ["bench", "callers", "--only", "one-word", "--journals", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "1 of 1 passed" in result.output
    replayed = replay(tmp_path / "one-word" / JOURNAL)
    assert replayed.difference is None
    assert replayed.commands > 0


def test_who_calls_alone_finds_the_same_as_in_company(silero_path: Path, tmp_path: Path) -> None:
    """To the millisecond: a caller who fails can be called again alone, as often as it takes."""
    names = ("hangs-up-mid-word", "impatient")
    both = [who for name in names for who in load_callers(name)]
    journals = []
    for folder, callers in (("company", both), ("alone", both[1:])):
        (tmp_path / folder).mkdir()
        CallersBench(callers, silero_path, tmp_path / folder, lambda verdict: None).run()
        header, *steps = (tmp_path / folder / "impatient" / JOURNAL).read_text().splitlines()
        journals.append(steps)
        assert "began" in header
    assert journals[0] == journals[1]


def test_a_broken_rule_names_its_first_evidence(silero_path: Path, tmp_path: Path) -> None:
    """Of several rules that do not hold, the first is named as it was written, with what speaks against it."""
    rude = DifficultCaller.model_validate(
        {
            "name": "rude",
            "about": "hangs up at once",
            "steps": [{"say": "no"}, {"hang_up_after": 0}],
            "passes": ["no_word_lost", {"agent_says": "come again", "times": 1}, {"ends": "caller_silent"}],
        }
    )
    told: list[Verdict] = []
    verdicts = CallersBench([rude], silero_path, tmp_path, told.append).run()
    failure = verdicts[0].failure
    assert told == verdicts
    assert failure is not None
    assert failure.rule == "agent_says: come again, times: 1"
    assert failure.evidence.startswith("'come again' was played 0 times")
    assert verdicts[0].rules == 4


FINE = Verdict("kind", "says thank you", 12.0, 3, None)
BAD = Verdict("rude", "shouts", 9.5, 4, Failure("turns: 1", "2 turns: 1.00 s 'no'; 2.00 s 'no'"))


def test_one_failure_is_an_exit_code(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has a row for each caller; below it stands who failed by which rule, and why."""
    monkeypatch.setattr(CallersBench, "run", lambda self: [FINE, BAD])
    result = CliRunner().invoke(app, ["bench", "callers"])
    assert result.exit_code == 1
    assert "rude: turns: 1: 2 turns: 1.00 s 'no'; 2.00 s 'no'" in result.output
    assert "1 of 2 passed: 22 s of calls" in result.output
    monkeypatch.setattr(CallersBench, "run", lambda self: [FINE])
    assert CliRunner().invoke(app, ["bench", "callers"]).exit_code == 0


def test_json_has_everything(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object for each caller; the exit code says the same as without."""
    monkeypatch.setattr(CallersBench, "run", lambda self: [FINE, BAD])
    result = CliRunner().invoke(app, ["bench", "callers", "--json"])
    assert result.exit_code == 1
    fine, bad = json.loads(result.stdout)
    assert fine == {"name": "kind", "about": "says thank you", "seconds": 12.0, "rules": 3, "failure": None}
    assert bad["failure"] == {"rule": "turns: 1", "evidence": "2 turns: 1.00 s 'no'; 2.00 s 'no'"}


def test_an_unknown_name_and_a_missing_model_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence, no traceback."""
    unknown = CliRunner().invoke(app, ["bench", "callers", "--only", "mumbles"])
    assert unknown.exit_code == 1
    assert "did you mean 'mumbler'" in unknown.output
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    missing = CliRunner().invoke(app, ["bench", "callers", "--only", "mumbler"])
    assert missing.exit_code == 1
    assert "client-caller models pull" in missing.output


def test_the_laws_come_before_the_rules(silero_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who is never let go has found something worse than a rule of their own."""
    monkeypatch.setattr("client_caller.simulator.difficult_party.LONGEST", 2000)
    silent = load_callers("silent")
    failure = CallersBench(silent, silero_path, tmp_path, lambda verdict: None).run()[0].failure
    assert failure is not None
    assert failure.rule == LAWS
