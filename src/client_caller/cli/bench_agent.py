"""The agent that `client-caller bench latency` calls."""

from client_caller.agents.agent import Agent

agent = Agent("You answer the telephone. Be brief.", greeting="Hello, how can I help you?")
