"""The laws of `client-caller calls`."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import Result

from client_caller.calls.call import Call
from client_caller.calls.store import Store, database_in

Run = Callable[..., Result]


def test_no_calls_yet(run: Run) -> None:
    """An empty list says so; asking for a call of it says so too, and fails."""
    assert run("calls", "list").output == "There are no calls yet.\n"
    assert run("calls", "show", "last").exit_code == 1


def test_the_list_is_a_table_with_whole_ids(made: Path, run: Run) -> None:
    """Latest first, one line each, however narrow the terminal; `--limit` cuts it."""
    lines = run("calls", "list").output.splitlines()
    assert lines[0].split() == ["Call", "Began", "From", "To", "Length", "State", "Turns", "Barge-ins", "Median"]
    assert lines[1].split()[:6] == ["20261120-b2", "2026-11-20", "13:31:00", "+15550001", "+2", "0:02"]
    assert "ended (caller_hung_up)" in lines[2]
    assert len(lines) == 3
    assert len(run("calls", "list", "--limit", "1").output.splitlines()) == 2


def test_show_tells_heard_from_unheard(made: Path, run: Run) -> None:
    """The facts, then the transcript with times; the call may be named by its beginning or as the last."""
    shown = run("calls", "show", "20261120-a").output
    assert "began:         2026-11-20 13:30:00 UTC\n" in shown
    assert "state:         ended\n" in shown
    assert shown.endswith("\n\n00:00.0  Agent   Hello [not heard: there]\n")
    assert run("calls", "show", "last").output.startswith("call:          20261120-b2\n")


def test_what_cannot_be_found_is_one_sentence(made: Path, run: Run) -> None:
    """An unknown call, an unclear one, and one whose folder is gone: exit code 1 and what to do, no traceback."""
    for arguments, says in (
        (("calls", "show", "nobody"), "no call 'nobody'"),
        (("calls", "show", "2026"), "2 calls begin with '2026'"),
        (("replay", "nobody"), "client-caller calls list"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert says in result.output
        assert isinstance(result.exception, SystemExit)
    (made / "20261120-a1" / "journal.jsonl").unlink()
    result = run("calls", "show", "20261120-a1")
    assert result.exit_code == 1
    assert "journal.jsonl: No such file or directory" in result.output


def test_a_wrong_configuration_is_named(run: Run, config: Path) -> None:
    """A setting that does not exist, and a database that can't be opened: one sentence, exit code 1."""
    for content, says in (
        ('[calls]\nfolder = "x"\n', "There is no setting calls.folder"),
        ('[calls]\ndatabase_url = "nodatabase://x"\n', "Check calls.database_url"),
    ):
        config.write_text(content)
        result = run("calls", "list")
        assert result.exit_code == 1
        assert says in result.output


def test_export_to_a_zip_file_or_a_folder(made: Path, run: Run, tmp_path: Path) -> None:
    """Everything of the call and what the list knows of it; nothing is ever overwritten; only the owner may read it."""
    assert run("calls", "export", "last").exit_code == 0
    with zipfile.ZipFile(tmp_path / "20261120-b2.zip") as archive:
        names = sorted(Path(name).name for name in archive.namelist())
        assert json.loads(archive.read("20261120-b2/call.json"))["from"] == "+15550001"
    assert names == ["call.json", "journal.jsonl", "transcript.json", "transcript.txt"]
    assert (tmp_path / "20261120-b2.zip").stat().st_mode & 0o777 == 0o600
    assert run("calls", "export", "last", "--to", "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    for again in ((), ("--to", "out")):
        result = run("calls", "export", "last", *again)
        assert result.exit_code == 1
        assert "is already there" in result.output


def test_delete_asks_first(made: Path, run: Run) -> None:
    """Without a yes nothing is deleted; with it folder and line are gone, and nothing else."""
    assert run("calls", "delete", "last", answer="n\n").exit_code == 1
    assert (made / "20261120-b2").exists()
    assert run("calls", "delete", "last", answer="y\n").exit_code == 0
    assert [path.name for path in made.iterdir()] == ["20261120-a1"]
    assert run("calls", "delete", "last", "--yes").output == "Call 20261120-a1 is deleted.\n"
    assert run("calls", "list").output == "There are no calls yet.\n"


def test_delete_is_careful(made: Path, run: Run, tmp_path: Path) -> None:
    """A live call stays; a folder that is no call's is not touched; a call whose folder is gone can be deleted."""
    store = Store(database_in(tmp_path / "data"))
    later = datetime(2026, 11, 21, tzinfo=UTC)
    store.begin(Call("live", "CA"), folder=made / "live", recording="off", started=later)
    store.close()
    result = run("calls", "delete", "live", "--yes")
    assert result.exit_code == 1
    assert "still on the line" in result.output
    (made / "20261120-a1" / "journal.jsonl").rename(made / "20261120-a1" / "other.txt")
    result = run("calls", "delete", "20261120-a1", "--yes")
    assert result.exit_code == 1
    assert "no call's folder: nothing was deleted" in result.output
    assert (made / "20261120-a1" / "other.txt").exists()
    for path in (made / "20261120-b2").iterdir():
        path.unlink()
    (made / "20261120-b2").rmdir()
    assert run("calls", "delete", "20261120-b2", "--yes").exit_code == 0
