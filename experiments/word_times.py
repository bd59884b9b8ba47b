"""How well are word times guessed? Estimated against the exact word events of eSpeak NG, and against people.

    python experiments/word_times.py

                  n   mean   P95   max  bias   ledger >1       +1        0       -1      <-1  range
    fitted        160    63   163   394   +51   0.000%   1.881%  81.081%  16.777%   0.261%  -2 to +1
    held out      160    58   138   232   +50   0.000%   1.365%  81.843%  16.731%   0.060%  -2 to +1
    people         29   265   610  2720  +161   1.764%   4.635%  58.658%  33.438%   1.505%  -2 to +4

Errors are of single words, later being positive. The ledger is the number of words counted as heard, less the number
that were, at every millisecond at which the caller could cut in: plus one is a word counted although it was not over.
Words that eSpeak NG joins into one sound ("of the") have no times of their own and are left out. `FITTED` sentences
were used to choose how long things take to say, `HELD_OUT` ones were not; the margin was chosen on both.

People: recordings of the shared audio with their times from PocketSphinx's forced alignment, which at 8 kHz is itself
only good to some tens of milliseconds. Their transcripts have no punctuation and some of the speakers hesitate, so this
is a bound from the bad side for a voice that reads punctuated text; no such voice but eSpeak NG was measured.

eSpeak NG is GPL-3, so it runs in a process of its own (`--speak`), which writes its sentences as JSON lines.
"""

import base64
import ctypes
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from client_caller.audio import g711
from client_caller.audio.word_times import estimate
from client_caller.conversation.clauses import words_of

VOICES = (
    ("English (America)", 175),
    ("English (Great Britain)", 150),
    ("English (America)", 210),
    ("English (Scotland)", 165),
)
"""Name and words per minute."""

FITTED = """
Hello, how can I help you today?
Sure, I can book a table for you.
Your appointment is on Tuesday at half past three.
The total comes to forty two dollars and fifty cents.
I am sorry, but we are closed on Sundays.
Could you tell me your name, please?
Let me check that for you, one moment.
We have rooms available from the twelfth of May until the end of the month.
Thank you very much for calling, and have a wonderful day.
Unfortunately, the technician will not arrive before tomorrow afternoon.
Your order number is 4 8 1 5.
It costs $45.99 including tax.
The code is 30219.
I will transfer you to the billing department now.
Do you prefer the morning or the afternoon?
Yes.
No problem at all!
That is a great question, and the answer is: it depends.
Please stay on the line while I look up your account information.
Extraordinary circumstances require extraordinary administrative measures.
He ran up the hill as fast as he could go.
Is it a or an?
The strengths of these clothes were tested through months.
We deliver to Italy, Austria, Switzerland, Liechtenstein, and Slovenia.
If you want, I can send you an email at info at example dot com.
Our opening hours are 9:30 to 17:45.
I think we should start again, because something went wrong.
The quick brown fox jumps over the lazy dog.
Please call 555 0123 after six.
My colleague Dr. Smith will see you at 10 a.m. on Friday.
Oh, I see; so you already have an account with us, right?
The parcel was delivered yesterday, but nobody was at home.
First, unplug the router. Then wait for thirty seconds.
There are three options: small, medium, and large.
You can reach the European customer representative between eight and twelve.
I am afraid I did not understand that.
What is the best number to reach you on?
It is about a fifteen minute walk from the station.
In 2024 we sold 1,200 units.
Okay, so that is two adults, one child, and a dog.
""".strip().splitlines()

HELD_OUT = """
Good morning, this is the front desk.
The meeting was moved to Thursday, the ninth of October.
Are you calling about an existing reservation?
We can offer you a refund, a replacement, or a voucher.
Your balance is $1,250.75.
Just a second, I am looking it up.
The restaurant on Main Street opens at eleven.
Our guarantee covers manufacturing defects for a period of two years.
Would you like me to repeat that?
I have you down for four people at seven thirty.
To confirm, your surname is Featherstonehaugh?
A bus goes to the airport every ten minutes.
Please enter the 6 digit code that we sent to your phone.
Nobody told me that you were waiting, I am very sorry.
Our accountant recommends an independent investigation.
Great, thanks.
You owe us nothing.
It was cold, wet, windy, and dark when we left.
She sells sea shells by the sea shore.
The doctor can see you on the 21st at 8:15.
Press one for sales, two for support, or three to speak to an operator.
The instructions are straightforward: remove the cover, insert the battery, close it again.
Our address is 1600 Pennsylvania Avenue.
I would love to help, however, that is not something I can do.
What a pity!
Let us begin with your date of birth.
Your flight leaves at 6 p.m. from gate B 12.
The cheapest ticket is nineteen euros, the most expensive one is two hundred.
Internationalization is complicated.
You said you lost your card, is that right?
We tried to reach you yesterday, but the line was busy.
I go to bed at ten.
Approximately one hundred and fifty participants registered for the conference.
Well, to be honest, I do not know.
The warranty expired in 2019.
Thirty six square metres, with a balcony and a kitchen.
Turn left at the second traffic light, then go straight on.
Can you spell that for me?
The new system will be available at the beginning of next week.
Goodbye, and take care.
""".strip().splitlines()


@dataclass(frozen=True)
class Spoken:
    """A clause with its audio, and where each of its words truly ends; None where nobody knows."""

    text: str
    mulaw: bytes
    ends: Sequence[int | None]


class Event(ctypes.Structure):
    """`espeak_EVENT` of `speak_lib.h`; its last field is a union of eight bytes."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


class Voice:
    """eSpeak NG, loaded into this process."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate = self._library.espeak_Initialize(2, 60, espeakng_loader.get_data_path().encode(), 0)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))
        self._callback = kind(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, pace: int) -> tuple[np.ndarray, dict[int, int]]:
        """The samples, and where each word event is: its character of the text, from 0, and its sample."""
        self._samples: list[np.ndarray] = []
        self._starts: dict[int, int] = {}
        assert self._library.espeak_SetVoiceByName(voice.encode()) == 0, voice
        self._library.espeak_SetParameter(1, pace, 0)
        data = text.encode()
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 1, 0, 1, None, None)
        return np.concatenate(self._samples), self._starts

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count:
            self._samples.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != 0:
            if events[index].type == 1:
                self._starts.setdefault(events[index].text_position - 1, events[index].sample)
            index += 1
        return 0


def speak() -> None:
    """The child process: every sentence in every voice, one JSON object a line."""
    voice = Voice()
    for name, pace in VOICES:
        for text in FITTED + HELD_OUT:
            samples, starts = voice.say(text, name, pace)
            mulaw = g711.encode_float(soxr.resample(samples.astype(np.float32) / 32768, voice.rate, 8000))
            ends = [None if end is None else round(end * 8000 / voice.rate) for end in true_ends(text, samples, starts)]
            print(json.dumps({"text": text, "mulaw": base64.b64encode(mulaw).decode(), "ends": ends}))


def true_ends(text: str, samples: np.ndarray, starts: dict[int, int]) -> Iterator[int | None]:
    """Where the next word begins, less the silence before it; None for a word joined with the next."""
    loud = np.flatnonzero(np.abs(samples) > 8)
    words = words_of(text)
    for following in words[1:]:
        start = starts.get(following.start)
        yield None if start is None else int(loud[np.searchsorted(loud, start) - 1]) + 1
    yield int(loud[-1]) + 1


def spoken() -> Iterator[Spoken]:
    """What eSpeak NG says, from a process of its own."""
    child = subprocess.run([sys.executable, __file__, "--speak"], stdout=subprocess.PIPE, check=True)
    for line in child.stdout.splitlines():
        one = json.loads(line)
        yield Spoken(one["text"], base64.b64decode(one["mulaw"]), one["ends"])


def people(folder: Path) -> Iterator[Spoken]:
    """Short English recordings whose transcript PocketSphinx can align."""
    from pocketsphinx import Decoder

    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        if entry["set"] != "utterance" or entry["language"] != "en":
            continue
        text = entry["transcript"]
        words = text.lower().split()
        decoder = Decoder(samprate=16000, lm=None, loglevel="FATAL")
        if any(decoder.lookup_word(word) is None for word in words):
            continue
        samples, _ = soundfile.read(folder / entry["file"], dtype="float32")
        wide = (soxr.resample(samples, 8000, 16000) * 32767).astype(np.int16)
        decoder.set_align_text(" ".join(words))
        decoder.start_utt()
        decoder.process_raw(wide.tobytes(), full_utt=True)
        decoder.end_utt()
        aligned = [segment for segment in decoder.seg() or () if segment.word[0] not in "<[("]
        if [segment.word.split("(")[0] for segment in aligned] == words:
            yield Spoken(text, g711.encode_float(samples), [(segment.end_frame + 1) * 80 for segment in aligned])


@dataclass(frozen=True)
class Errors:
    """Of one clause: of each word, in milliseconds, and of the ledger at each millisecond, in words."""

    words: np.ndarray
    ledger: np.ndarray


def errors(clause: Spoken) -> Errors:
    known = [(guess, end) for guess, end in zip(estimate(clause.text, clause.mulaw), clause.ends, strict=True) if end]
    guessed, true = np.array(known).T
    instants = np.arange(0, len(clause.mulaw), 8)
    counted = np.searchsorted(guessed, instants, side="right")
    return Errors((guessed - true) / 8, counted - np.searchsorted(true, instants, side="right"))


def row(name: str, clauses: Sequence[Spoken]) -> str:
    found = [errors(clause) for clause in clauses]
    words = np.concatenate([one.words for one in found])
    ledger = np.concatenate([one.ledger for one in found])
    size = np.abs(words)
    shares = " ".join(
        f"{np.mean(share):8.3%}" for share in (ledger > 1, ledger == 1, ledger == 0, ledger == -1, ledger < -1)
    )
    sizes = f"{size.mean():5.0f} {np.quantile(size, 0.95):5.0f} {size.max():5.0f} {words.mean():+5.0f}"
    return f"{name:11s} {len(found):5d} {sizes} {shares}  {ledger.min():+d} to {ledger.max():+d}"


def main() -> None:
    print("              n   mean   P95   max  bias   ledger >1       +1        0       -1      <-1  range")
    clauses = list(spoken())
    print(row("fitted", [clause for clause in clauses if clause.text in FITTED]))
    print(row("held out", [clause for clause in clauses if clause.text in HELD_OUT]))
    print(row("people", list(people(Path(__file__).parents[2] / "shared" / "audio"))))


if __name__ == "__main__":
    if "--speak" in sys.argv:
        speak()
    else:
        main()
