"""The agents that `client-caller bench latency` calls."""

from client_caller.agents.agent import Agent
from client_caller.conversation.policy import Policy

INSTRUCTIONS = "You answer the telephone. Be brief."
GREETING = "Hello, how can I help you?"

agent = Agent(INSTRUCTIONS, greeting=GREETING)
eager = Agent(INSTRUCTIONS, greeting=GREETING, policy=Policy(stable_partial=0, guesses_in_a_turn=12))
"""It begins a reply on each partial transcript that sounds complete, while the caller still speaks."""
