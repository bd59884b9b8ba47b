"""A call as it happens, in the terminal: who speaks, what was understood, what was heard, and how long it took.

What is over becomes a line. On a terminal a panel below shows what is going on; anywhere else there are only the lines.
"""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from client_caller.calls.transcript import clock
from client_caller.conversation.commands import CancelReply, Command, Speak, StartReply
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.echo import callers_own
from client_caller.conversation.events import Event, PartialTranscript, SpeechProbability, WordAcknowledged
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolUsed
from client_caller.observe.latency import Ledger, percentile


class LiveView:
    """Shows one call. Give `watch` to its session; use it as a context manager around the call."""

    def __init__(self, console: Console, *, panel: bool) -> None:
        """`panel`: whether to show what is going on, below what is over."""
        self._console = console
        self._wanted = panel
        self._conversation: Conversation | None = None
        self._ledger: Ledger | None = None
        self._told = 0
        self._now = 0
        self._voiced = False
        self._partial = ""
        self._reply = 0
        self._words: list[str] = []
        self._acknowledged = 0
        self._live = Live(get_renderable=self.panel, console=console, refresh_per_second=12, transient=True)

    def __enter__(self) -> "LiveView":
        if self._wanted:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, conversation: Conversation) -> None:
        """This is the conversation to look at."""
        self._conversation = conversation
        self._ledger = Ledger(conversation.policy)

    def watch(self, event: Event, commands: Sequence[Command]) -> None:
        """Something happened."""
        assert self._conversation is not None, "the call began before it was shown"
        assert self._ledger is not None
        self._now = event.at
        self._ledger.note(event, commands)
        match event:
            case SpeechProbability():
                probability = callers_own(event, self._conversation.policy).probability
                self._voiced = probability >= self._conversation.policy.speech_threshold
            case PartialTranscript(text=text):
                self._partial = text
            case WordAcknowledged(reply=reply) if reply == self._reply:
                self._acknowledged += 1
        for entry in self._conversation.history[self._told :]:
            self._told += 1
            self._console.print(self._line(entry), soft_wrap=not self._wanted)
        for command in commands:
            self._note_command(command)

    def _note_command(self, command: Command) -> None:
        match command:
            case StartReply(reply=reply) | Speak(reply=reply) if reply > self._reply:
                self._reply, self._words, self._acknowledged = reply, [], 0
            case CancelReply(reply=reply) if reply == self._reply:
                self._words, self._acknowledged = [], 0
        if isinstance(command, Speak) and command.reply == self._reply:
            self._words += command.text.split()

    @property
    def latencies(self) -> str:
        """The call's voice-to-voice latencies in a sentence."""
        latencies = [turn.voice_to_voice for turn in self._ledger.turns] if self._ledger else []
        if not latencies:
            return "No answer to measure."
        return f"Voice to voice: {percentile(latencies, 50)} ms in the median, {max(latencies)} ms at most."

    # ---- what is over

    def _line(self, entry: Entry) -> Text:
        match entry:
            case CallerSaid():
                self._partial = ""
                line = _begin(entry.started, "caller", "cyan")
                line.append(entry.text or "(no words understood)", style="" if entry.text else "dim")
                if entry.backchannel:
                    line.append("  [backchannel: the agent goes on]", style="yellow")
            case AgentSaid():
                line = _begin(entry.started, "agent", "green")
                line.append(entry.heard, style="bold")
                if entry.unheard:
                    line.append(" " if entry.heard else "").append(f"[unheard: {entry.unheard}]", style="dim strike")
                line.append(self._note_on(entry), style="yellow")
            case ToolUsed():
                line = _begin(entry.at, "tool", "magenta")
                line.append(f"{entry.name} {'failed' if entry.failed else 'answered'}", style="dim")
        return line

    def _note_on(self, entry: AgentSaid) -> str:
        assert self._ledger is not None
        notes = []
        turns = [turn for turn in self._ledger.turns if turn.first_frame == entry.started]
        if turns:
            notes.append(f"after {turns[-1].voice_to_voice} ms")
        cuts = [cut for cut in self._ledger.barge_ins if entry.started <= cut.yielded <= entry.ended]
        if entry.cut and cuts:
            notes.append(f"barge-in: silent {cuts[-1].yielded - cuts[-1].speech_began} ms after the caller began")
        elif entry.cut:
            notes.append("cut off")
        return f"  [{'; '.join(notes)}]" if notes else ""

    # ---- what is going on

    def panel(self) -> RenderableType:
        """What the caller seems to be saying, and what the agent says: bold what was heard, pale what was not yet."""
        if self._conversation is None:
            return Text("ringing …", style="dim")
        caller = Text(self._partial, style="italic cyan")
        heard, unheard = self._words[: self._acknowledged], self._words[self._acknowledged :]
        agent = Text.assemble((" ".join(heard), "bold green"), " ", (" ".join(unheard), "dim"))
        rows = Table.grid(padding=(0, 1))
        rows.add_row(Text("●", style="cyan" if self._voiced else "dim"), "caller", caller)
        rows.add_row(Text("●", style="green" if self._conversation.view == "SPEAKING" else "dim"), "agent", agent)
        title = f"{clock(self._now)}  {self._conversation.view}"
        return Panel(Group(rows), title=title, title_align="left", border_style="dim")


def _begin(at: int, who: str, colour: str) -> Text:
    return Text.assemble((f"{clock(at)}  ", "dim"), (f"{who:<7}", colour))
