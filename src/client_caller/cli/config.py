"""`client-caller config`: every setting in force, and where its value comes from."""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from client_caller.cli.profile_option import ProfileName
from client_caller.settings import InForce, SettingsError, keys, load

Config = Annotated[Path | None, typer.Option("--config", help="The file to read instead of client-caller.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def config(config: Config = None, profile: ProfileName = None, as_json: Json = False) -> None:
    """Show every setting, its value, and whether default, profile, file, environment or an option set it.

    What a profile sets, before you choose it: client-caller config --profile cpu
    """
    try:
        in_force = load(config, {"profile": profile})
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        rows = {key: {"value": _shown(in_force, key), "from": _origin(in_force, key)} for key in keys()}
        typer.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    table = Table("Setting", "Value", "From")
    for key in keys():
        value = _shown(in_force, key)
        table.add_row(key, "not set" if value is None else str(value), _origin(in_force, key))
    Console().print(table)


def _shown(in_force: InForce, key: str) -> Any:
    """A value as it may be printed: of a secret no more than whether there is one, of an address no credentials."""
    section, _, name = key.rpartition(".")
    options = getattr(in_force.settings, section) if section else in_force.settings
    value = getattr(options, name)
    if type(options).model_fields[name].annotation == (SecretStr | None):
        return "set" if isinstance(value, SecretStr) else "not set"
    if isinstance(value, Path):
        return str(value)
    return re.sub(r"//[^/@]*@", "//***@", value) if isinstance(value, str) else value


def _origin(in_force: InForce, key: str) -> str:
    return in_force.origins.get(key, "default")
