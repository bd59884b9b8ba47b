"""The agents that `client-caller bench latency` calls."""

from client_caller.agents.agent import Agent
from client_caller.conversation.policy import Policy

INSTRUCTIONS = "You answer the telephone. Be brief."
GREETING = "Hello, how can I help you?"

agent = Agent(INSTRUCTIONS, greeting=GREETING)
patient = Agent(INSTRUCTIONS, greeting=GREETING, policy=Policy(stable_partial=None))
"""It begins no reply while the caller still speaks."""
