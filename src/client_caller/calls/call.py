"""Which call this is."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call before anybody speaks."""

    id: str
    """Ours: names the call's folder and its row in the store."""
    provider_id: str
    """The provider's; with Twilio the CallSid. A resumed call keeps both."""
    direction: Literal["inbound", "outbound"] = "inbound"
    caller: str = ""
    """The number that called, as the provider wrote it; may be empty or `anonymous`."""
    callee: str = ""
    """The number that was called."""
