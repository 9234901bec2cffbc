"""`python -m bench.peak`: the network beside the machine's peak, and where its time goes."""

from collections import defaultdict
from functools import partial

import torch
import tyro
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from bench.clock import compare
from colorize_hub.engines.fused import fuse
from colorize_hub.loading import BUNDLED, read_model
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference

SIDE = 256
_MATRIX = 2048


@torch.inference_mode()
def peak(*, threads: int = 2, turns: int = 15) -> None:
    """Compare the network at 256 px with a large matrix product of the same type.

    Args:
        threads: Threads that torch may use.
        turns: Measurements of which the median is taken.
    """
    torch.set_num_threads(threads)
    network = read_model(BUNDLED).eval()
    grey = torch.full((1, 1, SIDE, SIDE), 50.0)
    with FlopCounterMode(display=False) as counter:
        network(grey)
    work = counter.get_total_flops()
    print(f"{work / 1e9:.2f} GFLOP for a picture of {SIDE} px, {threads} threads\n")
    for dtype in dict.fromkeys((torch.float32, fast_dtype(torch.device("cpu")))):
        fast = fuse(for_inference(network, dtype))
        matrix = torch.randn(_MATRIX, _MATRIX).to(dtype)
        (row,) = compare(
            {"network": partial(fast, grey)}, "product", partial(torch.mm, matrix, matrix), turns
        )
        pace, most = work / row.seconds / 1e9, 2 * _MATRIX**3 / row.other_seconds / 1e9
        print(
            f"{dtype}: {row.seconds * 1e3:.1f} ms, {pace:.0f} of {most:.0f} GFLOP/s, "
            f"{pace / most:.0%} of the peak"
        )
        for name, share in _where_time_goes(fast, grey, turns):
            print(f"  {share:4.0%}  {name}")


def _where_time_goes(network: ColorNet, grey: torch.Tensor, turns: int) -> list[tuple[str, float]]:
    """Return the kinds of operations that take 3% or more of the time, most first."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as record:
        for _ in range(turns):
            network(grey)
    times: dict[str, float] = defaultdict(float)
    for event in record.key_averages(group_by_input_shape=True):
        times[_kind(event.key, event.input_shapes)] += event.self_cpu_time_total
    total = sum(times.values())
    shares = sorted(((name, t / total) for name, t in times.items()), key=lambda one: -one[1])
    return [(name, share) for name, share in shares if share >= 0.03]


def _kind(name: str, shapes: list[list[int]]) -> str:
    maps = [shape for shape in shapes[:3] if len(shape) == 4]  # in, one to add, weights
    if "convolution" not in name or len(maps) < 2:
        return name.removeprefix("aten::")
    inside, side = maps[-1][1:3]
    if inside == 1:
        return "depthwise convolutions"
    return f"convolutions of {side} x {side}"


if __name__ == "__main__":
    tyro.cli(peak, prog="python -m bench.peak")
