"""A simulator of Twilio Media Streams that nobody here wrote (`streamdouble`) calls the server.

Its own checks decide: protocol violations, expectations of the scenario, and whether the far end spoke at all.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from streamdouble.api import CallReport, call, run_scenario
from streamdouble.chaos import Impairments
from streamdouble.scenario import parse
from streamdouble.session import SessionConfig

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.store import Store
from client_caller.engines.protocols import Engines
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.server.sessions import Sessions
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech

ECHO_PATIENCE = SessionConfig(quiet_period_s=0.2, response_timeout_s=3.0)


@pytest.fixture(scope="session")
def voice(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About a second of a real voice, in the form that the simulator reads."""
    samples, rate = soundfile.read(audio / "utt" / "u18_yes.flac", dtype="int16")
    path = tmp_path_factory.mktemp("voice") / "yes.wav"
    soundfile.write(path, samples[:rate], rate, subtype="PCM_16")
    return path


def scenario(voice: Path, *steps: object) -> Any:
    return parse({"name": "call", "steps": list(steps)}, base_dir=voice.parent)


async def test_scenarios_and_impairments_pass(run_edge: Callable[..., Any], voice: Path) -> None:
    """Ten calls at once, on good and bad networks, with keys, a clear, and an abrupt end: no violation in any, all
    marks come back, and what the server heard is what was sent."""
    say = {"say": voice.name}
    bad = [
        Impairments(loss=0.05),
        Impairments(jitter_ms=40),
        Impairments(latency_ms=40),
        Impairments(loss=0.2, jitter_ms=60, latency_ms=20),
    ]
    async with run_edge(signed=False) as edge:
        url = f"ws://127.0.0.1:{edge.port}/media"
        calls = [
            call(url, audio_path=voice, config=ECHO_PATIENCE),
            run_scenario(url, scenario(voice, say, {"wait_for": "mark"}, {"expect": "mark"}), config=ECHO_PATIENCE),
            run_scenario(url, scenario(voice, say, {"dtmf": "*"}, {"expect": "clear"}), config=ECHO_PATIENCE),
            run_scenario(url, scenario(voice, {"wait": 0.5}, say, {"expect": "no_violations"}), config=ECHO_PATIENCE),
            run_scenario(url, scenario(voice, {"dtmf": "12*4"}, say), config=ECHO_PATIENCE),
            run_scenario(url, scenario(voice, say, "hangup"), config=ECHO_PATIENCE),
        ]
        calls += [
            call(
                url,
                audio_path=voice,
                config=SessionConfig(quiet_period_s=0.3, response_timeout_s=3.0, impairments=impairments, chaos_seed=7),
            )
            for impairments in bad
        ]
        reports: list[CallReport] = await asyncio.gather(*calls)
        assert [report.exit_code for report in reports] == [0] * len(reports)
        assert [report.violations for report in reports] == [[]] * len(reports)
        assert [report.result.closed_by for report in reports] == [None] * 5 + ["caller"] + [None] * 4
        async with asyncio.timeout(5):
            while edge.board.live:  # noqa: ASYNC110 - the server's own state, which nobody announces
                await asyncio.sleep(0.001)
        sessions = {session.call.provider_id: session for session in edge.sessions}
    for report in reports:
        session = sessions[report.result.identity.call_sid]
        assert len(session.heard) == report.result.frames_sent
        times = [timestamp for timestamp, _ in session.heard]
        assert times == sorted(set(times))
        assert session.reason == ("connection_lost" if report.result.closed_by else "caller_hung_up")
    whole = reports[0]
    assert whole.audio_received == b"".join(mulaw for _, mulaw in sessions[whole.result.identity.call_sid].heard)
    assert whole.result.marks_echoed == sessions[whole.result.identity.call_sid].marks
    assert sessions[reports[4].result.identity.call_sid].digits == ["1", "2", "*", "4"]


async def test_a_real_call_is_interrupted_by_a_real_voice(
    run_edge: Callable[..., Any], audio: Path, tmp_path: Path, silero_path: Path
) -> None:
    """The agent greets; a person talks into it; the far end is told to clear, and violates nothing on the way."""
    samples, rate = soundfile.read(audio / "utt" / "u14_go_forward.flac", dtype="int16")
    soundfile.write(tmp_path / "interruption.wav", samples[: 2 * rate], rate, subtype="PCM_16")
    store = Store(f"sqlite:///{tmp_path / 'calls.sqlite3'}")
    heartbeat = Heartbeat(VoiceBatch(silero_path))
    beating = asyncio.create_task(heartbeat.run())
    sessions = Sessions(
        agent=Agent("Be brief.", greeting="This is a greeting " + "that goes on and on " * 10),
        engines=Engines(EchoStt(), CannedModel(lambda messages: "Yes."), ToneSpeech()),
        heartbeat=heartbeat,
        store=store,
        calls=tmp_path / "calls",
        recording="off",
    )
    steps = ({"wait_for": "mark"}, {"say": "interruption.wav"}, {"expect": "clear"}, {"expect": "no_violations"})
    async with run_edge(signed=False, open_session=sessions.open) as edge:
        report = await run_scenario(
            f"ws://127.0.0.1:{edge.port}/media",
            scenario(tmp_path / "interruption.wav", *steps),
            config=SessionConfig(quiet_period_s=0.2, max_drain_s=0.5),
        )
        async with asyncio.timeout(5):
            while edge.board.live:  # noqa: ASYNC110 - the server's own state, which nobody announces
                await asyncio.sleep(0.001)
    beating.cancel()
    store.close()
    assert (report.violations, report.result.expectations) == (
        [],
        [("expect clear", True), ("expect no_violations", True)],
    )
    assert report.exit_code == 0
    assert report.time_to_first_audio_ms is not None
    assert report.time_to_first_audio_ms < 1000
    assert len(report.result.marks_echoed) > 0


async def test_a_signed_server_refuses_the_simulator(run_edge: Callable[..., Any], voice: Path) -> None:
    """It can't sign: the handshake fails, which it reports as a connection that could not be made."""
    async with run_edge(signed=True) as edge:
        with pytest.raises(Exception, match="403"):
            await call(f"ws://127.0.0.1:{edge.port}/media", audio_path=voice, config=ECHO_PATIENCE)
