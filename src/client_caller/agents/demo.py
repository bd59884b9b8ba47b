"""The demonstration's script, and the one tool that it uses."""

import asyncio
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.agents.script import Script
from client_caller.agents.script_file import load_script

DEMO = Path(__file__).with_name("demo.yaml")
"""The script, beside this file."""
LOOKING = 2.5
"""Seconds that the tool takes: long enough for the agent to say so, as it would with a slow booking system."""


def load_demo() -> Script:
    """The script of `client-caller demo`."""
    return load_script(DEMO)


def add_tools(agent: Agent) -> None:
    """Give an agent the tool of the demonstration."""

    @agent.tool(filler="Let me look in the book.")
    async def find_table(people: int, time: str) -> dict[str, str]:
        """Find a free table for tomorrow evening.

        Args:
            people: How many will come.
            time: When, in the caller's words.
        """
        await asyncio.sleep(LOOKING)
        return {"time": time, "table": f"a table for {people} by the window"}
