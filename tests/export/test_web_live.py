"""The graph of a live picture keeps still what stands still, and begins anew with a new scene."""

import numpy as np
import onnxruntime
import pytest

from colorize_hub.colour.resizing import cell_means, resized
from colorize_hub.export.web import web_graphs
from colorize_hub.export.web_trace import trace
from colorize_hub.inference.motion import motion_by_flow
from colorize_hub.inference.steady import TemporalSmoother, memory
from colorize_hub.network.colornet import for_inference


@pytest.fixture(scope="module")
def run(tiny_network):
    graphs = {graph.name: graph for graph in web_graphs(for_inference(tiny_network))}
    session = onnxruntime.InferenceSession(trace(graphs["steady"]))
    return lambda **inputs: session.run(None, inputs)


class Stream:
    """Frames of a live picture, steadied by the graph."""

    def __init__(self, run):
        self.run, self.kept = run, None

    def next(self, lightness, ab, shift=0.0, back=0.0, forth=0.0):
        rows, columns = ab.shape[2:]
        nothing = np.zeros((3, rows, columns), "f4"), np.zeros((rows, columns), "f4"), lightness
        colour, frames, before = self.kept or nothing
        steadied, *kept = self.run(
            lightness=lightness,
            before=before,
            ab=ab,
            colour=colour,
            frames=frames,
            keep=np.array(memory(0.8), "f4"),
            shift=np.full_like(ab, shift),
            back=np.zeros_like(ab[0]) + back,
            forth=np.zeros_like(ab[0]) + forth,
        )
        self.kept = (*kept, lightness)
        return steadied


def test_a_still_picture_flickers_less_and_a_new_scene_begins_anew(run):
    rng = np.random.default_rng(0)
    lightness = resized(rng.uniform(10, 90, (1, 1, 6, 8)).astype("f4"), (96, 128))
    ab = rng.normal(0, 20, (1, 2, 24, 32)).astype("f4")
    stream, found = Stream(run), []
    for _ in range(8):
        found.append(stream.next(lightness, ab + rng.normal(0, 3, ab.shape).astype("f4")))
    off = [np.abs(one - ab).mean() for one in found]
    assert off[-1] < 0.6 * off[0]
    changed = stream.next(lightness, ab + 10, shift=10)
    assert np.abs(changed - ab - 10).mean() < off[0], "a change that a person made shows at once"
    other = stream.next(100 - lightness, -ab)
    np.testing.assert_allclose(other, -ab, atol=1e-3)


def test_what_moves_is_steadied_as_by_the_library(run):
    """The whole picture goes two cells to the right from frame to frame."""
    rng = np.random.default_rng(0)
    wide = resized(rng.uniform(20, 80, (1, 1, 12, 32)).astype("f4"), (96, 256))
    stream, smoother = Stream(run), TemporalSmoother(0.8)
    flow = np.zeros((2, 24, 32), "f4")
    flow[0] = 2
    for frame in range(5):
        lightness = np.ascontiguousarray(wide[..., 100 - 8 * frame :][..., :128])
        ab = resized(rng.normal(0, 20, (1, 2, 6, 8)).astype("f4"), (24, 32))
        moved = _motions(smoother, lightness, flow) if frame else None
        found = stream.next(lightness, ab, back=-flow, forth=flow)
        expected = smoother.smooth(lightness, ab[0], moved=lambda both=moved: both).ab
    assert np.abs(found[0] - expected).mean() < 0.5
    assert np.abs(found[0] - ab[0]).mean() > 2


def _motions(smoother, lightness, flow):
    cells = [cell_means(one[0, 0], (24, 32)) for one in (smoother._lightness, lightness)]
    return (
        motion_by_flow(cells[0], cells[1], -flow, flow),
        motion_by_flow(cells[1], cells[0], flow, -flow),
    )
