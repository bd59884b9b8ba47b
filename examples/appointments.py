"""A dentist's receptionist: finds free times, books one, and cancels it again.

    client-caller serve examples/appointments.py:agent

The diary is kept in memory, so a restart empties it. Everything else is as it would be in earnest: put your own
calendar behind the tools, and it is.
"""

import itertools
from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from client_caller import Agent, CallContext, Phrases, ToolFailed

OPENS, CLOSES = 9, 17
AN_HOUR = timedelta(hours=1)


class Appointment(BaseModel):
    """What the agent knows of a booking. A tool may take and return models like this one, or plain values."""

    number: int
    start: datetime
    name: str


class Diary:
    """The part that you would replace."""

    def __init__(self) -> None:
        self._appointments: dict[int, Appointment] = {}
        self._numbers = itertools.count(100)

    def free(self, day: date) -> list[datetime]:
        """The starts of the hours that nobody has booked; none at the weekend."""
        if day.weekday() >= 5:
            return []
        taken = {appointment.start for appointment in self._appointments.values()}
        hours = (datetime.combine(day, time(hour)) for hour in range(OPENS, CLOSES))
        return [hour for hour in hours if hour not in taken]

    def add(self, start: datetime, name: str) -> Appointment:
        appointment = Appointment(number=next(self._numbers), start=start, name=name)
        self._appointments[appointment.number] = appointment
        return appointment

    def remove(self, number: int) -> Appointment | None:
        return self._appointments.pop(number, None)


diary = Diary()

agent = Agent(
    # The instructions are the language model's system prompt. What it says is heard, not read: ask for short sentences.
    "You are the receptionist of a dentist in a small town. You find, book and cancel appointments of one hour, and "
    "nothing else. Answer in one or two short sentences of spoken English. Offer at most three times at once. Before "
    "you book, repeat the day and the time and wait for a yes. Never invent a time: look it up.",
    greeting="Good day, this is the dental practice. Would you like to make an appointment, or change one?",
    name="dentist",
    # Rare words that are likely in these calls; speech to text listens for them.
    hints=["dental practice", "check-up", "filling"],
    # What the agent says without asking the model. Whatever you leave out keeps its usual words.
    phrases=Phrases(
        fillers=("One moment, please.", "I am still turning pages."),
        trouble="Sorry, I lost my place. What did you say?",
    ),
)


# A tool is a function with types and a docstring. The model reads the first paragraph to decide when to use it, and the
# lines under `Args:` to know what to give. What does not fit the types never reaches the function: the model is told
# what was wrong, and tries again.
@agent.tool
def today() -> str:
    """Tell today's day and date. Use it when the caller says "tomorrow", "on Friday" or the like."""
    return f"{datetime.now():%A, %Y-%m-%d}"


@agent.tool(filler="Let me look in the diary.")
def find_free_times(day: date, from_hour: Annotated[int, Field(ge=0, le=23)] = OPENS) -> list[str]:
    """Find the free times of one day. Use it before you offer any time.

    Args:
        day: The day, as YYYY-MM-DD.
        from_hour: The earliest hour that suits the caller.
    """
    return [f"{start:%H:%M}" for start in diary.free(day) if start.hour >= from_hour]


# `CallContext` says which call this is. The model neither sees nor gives it.
@agent.tool(timeout=5.0, filler="I am writing that down.")
async def book(start: datetime, name: str, context: CallContext) -> Appointment:
    """Book an appointment, after the caller has agreed to its day and time.

    Args:
        start: Day and time, as YYYY-MM-DDTHH:MM.
        name: The caller's full name.
    """
    if start not in diary.free(start.date()):
        # Words for the model, which has to make something of them. Any other exception is a bug and goes to the log.
        raise ToolFailed("That time is not free. Look up the free times of the day, and offer others.")
    appointment = diary.add(start, name)
    print(f"call {context.call_id}: appointment {appointment.number} booked")
    return appointment


@agent.tool
async def cancel(number: int) -> str:
    """Cancel an appointment.

    :param number: The appointment's number, which the caller was told when it was booked.
    """
    removed = diary.remove(number)
    if removed is None:
        raise ToolFailed(f"There is no appointment {number}. Ask the caller for the number once more.")
    return f"The appointment on {removed.start:%A, %d %B at %H:%M} is cancelled."
