"""From `module:name` or `file.py:name` to the thing itself."""

import sys
from pathlib import Path

import pytest

from client_caller.agents.targets import TargetError, find


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reason(target: str) -> str:
    with pytest.raises(TargetError) as caught:
        find(target)
    return str(caught.value)


def test_a_module_of_the_working_directory_is_found(here: Path) -> None:
    """Without being installed; and what is inside an attribute, too."""
    (here / "shop").mkdir()
    (here / "shop" / "desk.py").write_text("class Desk:\n    number = 7\n", encoding="utf-8")
    assert find("shop.desk:Desk.number") == 7
    assert find("shop.desk:Desk.number") == 7


def test_a_file_is_found_and_may_import_its_neighbours(here: Path) -> None:
    """It need not be a module that could be imported by name, and it stands in for no other module."""
    folder = here / "my shop"
    folder.mkdir()
    (folder / "prices.py").write_text("BREAD = 3\n", encoding="utf-8")
    (folder / "calendar.py").write_text("from prices import BREAD\nprice = BREAD\n", encoding="utf-8")
    assert find("my shop/calendar.py:price") == 3
    assert find(f"{folder}/calendar.py:price") == 3
    assert "calendar" not in sys.modules or not hasattr(sys.modules["calendar"], "price")


@pytest.mark.parametrize("target", ["shop", "shop:", ":agent", "", ":"])
def test_both_parts_have_to_be_there(target: str) -> None:
    """The error shows how to write it."""
    assert "write module:name or path/to/file.py:name, for instance " in reason(target)


def test_an_example_shows_what_was_meant() -> None:
    """The place is kept where there is one."""
    assert reason("shop.py").endswith("for instance shop.py:agent.")
    assert reason(":agent").endswith("for instance agent:agent.")
    assert reason("").endswith("for instance agent.py:agent.")


def test_a_missing_module_is_told_with_where_it_was_looked_for(here: Path) -> None:
    """And that a file would do."""
    said = reason("nowhere.desk:agent")
    assert said.startswith("There is no module 'nowhere', neither installed nor in the working directory")
    assert said.endswith("path/to/desk.py:name.")
    (here / "shop.py").write_text("", encoding="utf-8")
    assert "There is no module 'shop.desk'" in reason("shop.desk:agent")


def test_a_missing_file_is_told() -> None:
    """By its whole path."""
    assert reason("nowhere.py:agent").startswith("There is no file /")


@pytest.mark.parametrize("target", ["shop:agent", "shop.py:agent"])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import not_installed_anywhere", "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("raise ModuleNotFoundError('gone')", "ModuleNotFoundError: gone"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError: "),
    ],
)
def test_a_module_that_breaks_is_told_with_its_own_error(here: Path, target: str, code: str, said: str) -> None:
    """What is missing is not the module that was named but something in it; nothing half made is left behind."""
    (here / "shop.py").write_text(code, encoding="utf-8")
    assert "can't be imported: " + said in reason(target)
    assert "client_caller_target_shop" not in sys.modules
    (here / "shop.py").write_text("agent = 1  # now it is right, and longer than before", encoding="utf-8")
    assert find("shop.py:agent") == 1


def test_a_missing_attribute_is_told_with_the_nearest() -> None:
    """Or with all there are."""
    Path("shop.py").write_text("agent = 1\n_hidden = 2\n", encoding="utf-8")
    assert reason("shop.py:agnet") == "'shop.py:agnet': shop.py has no 'agnet': did you mean 'agent'?"
    assert reason("shop.py:xyz") == "'shop.py:xyz': shop.py has no 'xyz': there is: agent"
