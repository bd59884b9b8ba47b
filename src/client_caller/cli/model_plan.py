"""`client-caller models plan`: whether the model tier fits on a GPU, and how many calls it carries."""

from rich.console import Console
from rich.table import Table

from client_caller.cli.model_options import GpuName, LlmName, Model, SttName, WeightsSize, planned
from client_caller.models.plan import Plan
from client_caller.models.profiles import GEMMA_3_27B


def plan(
    gpu: GpuName = None,
    llm: LlmName = GEMMA_3_27B.name,
    stt: SttName = "large-v3-turbo",
    model: Model = None,
    weights: WeightsSize = None,
) -> None:
    """Show how language model, voice and hearing share one GPU, and how many calls at once it is good for.

    An estimate by arithmetic, for choosing a GPU and models. What a machine really carries: client-caller bench.
    """
    made = planned(gpu, llm, stt, model, weights)
    console = Console()
    console.print(_memory(made))
    for line in [*_work(made), *_advice(made)]:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _memory(plan: Plan) -> Table:
    title = f"{plan.llm.name} ({plan.weights.form}), {plan.stt.name} and CSM on {plan.gpu.name}"
    table = Table("Memory", "GB", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for share in plan.shares:
        table.add_row(share.what, f"{share.gigabytes:.1f}")
    table.add_section()
    table.add_row("all", f"{plan.total:.1f}")
    table.add_row("free", f"{plan.gpu.gigabytes - plan.total:.1f}")
    return table


def _work(plan: Plan) -> list[str]:
    if plan.work is None:
        return [
            f"There is room for {plan.most_calls} calls. How fast {plan.gpu.name} is, is not known here: "
            "measure it before you count on them."
        ]
    work = plan.work
    return [
        f"Calls at once: {plan.calls} with ease, {plan.most_calls} at the utmost.",
        f"First words of a reply after about {work.first_clause:.0f} ms: first token {work.first_token:.0f} ms "
        f"(with the prefix cached), then {work.token:.1f} ms for each.",
        f"The GPU's time: the voice takes {work.voice:.0%} for any number of calls, each call {work.hearing:.1%} for "
        f"hearing and {work.thinking:.1%} for thinking; {plan.calls} calls make {work.at(plan.calls):.0%}.",
    ]


def _advice(plan: Plan) -> list[str]:
    return [
        "This needs NVIDIA's MPS, which lets three processes use the GPU at once. Where it is not allowed (as in many "
        "managed pods), count on half of the calls.",
    ]
