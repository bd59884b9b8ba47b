"""The options that name a GPU and the models on it, for every command that plans."""

from typing import Annotated

import typer
from rich.console import Console

from client_caller.models.gpus import GPUS, Gpu, UnknownGpu, detect_gpu, parse_gpu
from client_caller.models.plan import DoesNotFit, Plan, make_plan
from client_caller.models.profiles import GEMMA_3_27B, LLMS, STTS, Llm, Weights

GpuName = Annotated[
    str | None,
    typer.Option("--gpu", help=f"{', '.join(GPUS)}, or any other as NAME=GB. Without it: the GPU of this machine."),
]
LlmName = Annotated[str, typer.Option("--llm", help=f"The language model: {', '.join(LLMS)}.")]
SttName = Annotated[str, typer.Option("--stt", help=f"Speech to text: {', '.join(STTS)}.")]
Model = Annotated[
    str | None, typer.Option("--model", help="A folder or hub name to serve in place of that model's usual weights.")
]
WeightsSize = Annotated[
    float | None, typer.Option("--weights", min=0.1, help="With --model: what its weights take, in GB.")
]


def planned(gpu: str | None, llm: str, stt: str, model: str | None, weights: float | None) -> Plan:
    """The plan for what was typed. Raises `typer.BadParameter` for what there is not; ends where it does not fit."""
    for name, known in ((llm, LLMS), (stt, STTS)):
        if name not in known:
            raise typer.BadParameter(f"there is no model {name!r}; there are: {', '.join(known)}")
    if weights is not None and model is None:
        raise typer.BadParameter("--weights is about the model that --model names; name one")
    try:
        return make_plan(_gpu(gpu), _llm(LLMS[llm], model, weights), STTS[stt])
    except (UnknownGpu, DoesNotFit) as error:
        Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None


def _gpu(name: str | None) -> Gpu:
    return detect_gpu() if name is None else parse_gpu(name)


def _llm(llm: Llm, model: str | None, weights: float | None) -> Llm:
    """The named model, or one of another size: a dense one of one byte for each parameter is assumed."""
    if model is None or weights is None:
        return llm
    form = Weights(model, "int4", weights, weights)
    return Llm(model, billions=weights, kv=GEMMA_3_27B.kv, tool_parser="", template=None, forms=(form,))
