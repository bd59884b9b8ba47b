"""The option that chooses a profile, for every command that reads the settings."""

from typing import Annotated

import typer

from client_caller.profiles import PROFILES

_PURPOSES = "; ".join(f"{name}: {profile.purpose}" for name, profile in PROFILES.items())

ProfileName = Annotated[
    str | None,
    typer.Option("--profile", help=f"A whole set-up behind one word; other settings win over it. {_PURPOSES}."),
]
