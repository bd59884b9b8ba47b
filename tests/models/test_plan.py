"""The arithmetic of one GPU for all, against the figures that it was worked out to."""

import pytest

from client_caller.models.gpus import GPUS, Gpu, parse_gpu
from client_caller.models.plan import LEAST_CALLS, USABLE, DoesNotFit, Plan, Work, make_plan
from client_caller.models.profiles import GEMMA_3_27B, GEMMA_4_26B, STTS, Llm, Weights

A100, H200 = GPUS["a100-80"], GPUS["h200"]
TURBO = STTS["large-v3-turbo"]


def work(plan: Plan) -> Work:
    assert plan.work is not None
    return plan.work


@pytest.mark.parametrize(
    ("gpu", "weights", "kv", "rest", "csm", "stt", "total", "free"),
    [(A100, 17.5, 14, 4, 7, 4, 46.5, 38), (H200, 28.5, 40, 5, 8.5, 5, 87, 63)],
)
def test_memory(
    gpu: Gpu, weights: float, kv: float, rest: float, csm: float, stt: float, total: float, free: float
) -> None:
    """Gemma 3 27B, CSM and Whisper turbo: INT4 with 16 places on the A100, FP8 with 32 on the H200."""
    plan = make_plan(gpu, GEMMA_3_27B, TURBO)
    language = [share.gigabytes for share in plan.shares if share.server == "llm"]
    assert language == [weights, kv, rest]
    assert plan.of("tts") == pytest.approx(csm, abs=0.3)
    assert plan.of("stt") == pytest.approx(stt)
    assert plan.total == pytest.approx(total, abs=0.3)
    assert gpu.gigabytes - plan.total == pytest.approx(free, abs=0.5)


def test_what_is_served_where() -> None:
    """INT4 where FP8 has no arithmetic; FP8 as soon as it has; the one form there is anywhere."""
    forms = [make_plan(gpu, GEMMA_3_27B, TURBO).weights.form for gpu in GPUS.values()]
    assert forms == ["int4", "int4", "fp8", "fp8"]
    assert make_plan(A100, GEMMA_4_26B, TURBO).weights.form == "fp8"
    bf16 = Llm("bf16", 27.0, 1.11, "", None, (Weights("x", "bf16", 54.9, 54.9),))
    assert make_plan(H200, bf16, TURBO).kv == 40
    with pytest.raises(DoesNotFit):
        make_plan(Gpu("a100", 60.0), bf16, TURBO)


@pytest.mark.parametrize(
    ("gpu", "form", "token"),
    [("a100-80", 54.9, 39), ("a100-80", 28.5, 20), ("a100-80", 17.5, 12.5), ("h200", 28.5, 8.5), ("h200", 17.5, 5.2)],
)
def test_time_for_a_token(gpu: str, form: float, token: float) -> None:
    """70 % of the bandwidth, which is spent on reading the weights."""
    llm = Llm("x", 27.0, 0.5, "", None, (Weights("x", "int4", form, form),))
    plan = make_plan(Gpu("any", 200.0, GPUS[gpu].speed), llm, TURBO)
    assert work(plan).token == pytest.approx(token, rel=0.03)


@pytest.mark.parametrize(
    ("gpu", "first_token", "first_clause"), [(A100, (60, 90), 185), (H200, (25, 40), 105)], ids=["a100", "h200"]
)
def test_what_a_turn_waits_for(gpu: Gpu, first_token: tuple[float, float], first_clause: float) -> None:
    """First token with the prefix cached, and the first clause of eight to ten tokens."""
    found = work(make_plan(gpu, GEMMA_3_27B, TURBO))
    assert first_token[0] <= found.first_token <= first_token[1]
    assert found.first_clause == pytest.approx(first_clause, rel=0.06)


@pytest.mark.parametrize(
    ("gpu", "voice", "hearing", "thinking", "all_of_ten"),
    [(A100, (0.15, 0.18), 0.40, 0.45, 1.00), (H200, (0.08, 0.09), 0.20, 0.25, 0.55)],
    ids=["a100", "h200"],
)
def test_the_work_of_ten_calls(
    gpu: Gpu, voice: tuple[float, float], hearing: float, thinking: float, all_of_ten: float
) -> None:
    """Shares of the GPU's time, within five points of the estimates."""
    found = work(make_plan(gpu, GEMMA_3_27B, TURBO))
    assert voice[0] <= round(found.voice, 2) <= voice[1]
    assert 10 * found.hearing == pytest.approx(hearing, abs=0.05)
    assert 10 * found.thinking == pytest.approx(thinking, abs=0.05)
    assert found.at(10) == pytest.approx(all_of_ten, abs=0.06)


def test_calls() -> None:
    """An A100 carries 5 to 6 calls with ease and about 10 at the utmost, an H200 20 to 25 at the utmost; with Gemma 4
    the A100's limit moves to 12 to 15, and with small.en or Nemotron ten calls take about 65 %."""
    a100 = make_plan(A100, GEMMA_3_27B, TURBO)
    assert a100.calls in (5, 6)
    assert a100.most_calls == 10
    assert 20 <= make_plan(H200, GEMMA_3_27B, TURBO).most_calls <= 25
    assert 12 <= make_plan(A100, GEMMA_4_26B, TURBO).most_calls <= 15
    for stt in ("small.en", "nemotron"):
        assert work(make_plan(A100, GEMMA_3_27B, STTS[stt])).at(10) == pytest.approx(0.65, abs=0.08)


def test_less_room_is_fewer_calls() -> None:
    """On a smaller card keys and values get what is left, and calls are as many as that holds."""
    small = make_plan(GPUS["a100-40"], GEMMA_3_27B, TURBO)
    assert small.total == pytest.approx(USABLE * small.gpu.gigabytes)
    assert LEAST_CALLS <= small.most_calls <= small.kv / GEMMA_3_27B.kv
    unknown = make_plan(parse_gpu("l40s=48"), GEMMA_3_27B, TURBO)
    assert unknown.work is None
    assert unknown.most_calls == int(unknown.kv / GEMMA_3_27B.kv)


def test_what_does_not_fit_is_refused() -> None:
    """The reason has what is needed, what there is, what is largest, and what to do."""
    with pytest.raises(DoesNotFit) as caught:
        make_plan(parse_gpu("rtx-4090=25.8"), GEMMA_3_27B, TURBO)
    reason = str(caught.value)
    for part in ("gemma-3-27b (int4)", "need 37.1 GB for 4 calls", "24.5 can be given out", "LLM weights with 17.5 GB"):
        assert part in reason
    assert "base_url under [llm]" in reason


@pytest.mark.parametrize("gpu", [Gpu("x", float(size)) for size in range(10, 200, 7)])
def test_no_plan_is_larger_than_its_gpu(gpu: Gpu) -> None:
    """Whatever the card, a plan keeps its reserve and has places for the least calls, or there is none."""
    try:
        plan = make_plan(gpu, GEMMA_3_27B, TURBO)
    except DoesNotFit:
        assert gpu.gigabytes < 40
    else:
        assert plan.total <= USABLE * gpu.gigabytes + 1e-9
        assert plan.most_calls >= LEAST_CALLS
