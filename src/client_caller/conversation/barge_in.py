"""Interruption, backchannel or noise? Asked while the agent is audible and the caller makes a sound."""

from client_caller.conversation.policy import Policy


def takes_floor(utterance: int, policy: Policy) -> bool:
    """Whether an utterance that has gone on for so many milliseconds is an interruption."""
    return utterance >= policy.barge_in


def patience_with(*, understood: bool, policy: Policy) -> int:
    """The silence in milliseconds after which a short utterance turns out to have been a mere backchannel.

    Not before `Policy.answer_overlap`: if the agent ends within that time, the utterance is its answer. And not before
    its words are known (`understood`), or have been waited for long enough.
    """
    return policy.answer_overlap if understood else max(policy.answer_overlap, policy.transcript_patience)
