"""Interlaced film: the two fields of a frame become one picture, by FFmpeg's filter bwdif."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from colorize_hub.video.opening import Warn, import_av

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter import Graph

_BWDIF = "mode=send_frame:parity=auto:deint=interlaced"  # one for one; others pass as they are


def deinterlaced(frames: Iterator[VideoFrame], warn: Warn) -> Iterator[VideoFrame]:
    """Yield the same frames, at the same times, without the combs of those that are interlaced.

    A frame says itself that it is interlaced, and which of its fields is the earlier one: that is
    kept, and its gaps are filled by what bwdif finds in the frames around it.

    Args:
        frames: decoded, in order.
        warn: told so in a sentence, at the first interlaced frame.
    """
    for frame in frames:
        if frame.interlaced_frame:
            warn("It is interlaced; each frame was deinterlaced with FFmpeg's bwdif.")
            for _, alike in groupby(chain([frame], frames), _layout):
                yield from _filtered(alike)
            return
        yield frame


def _layout(frame: VideoFrame) -> tuple[object, ...]:
    return frame.format.name, frame.width, frame.height


def _filtered(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """Frames of one layout through bwdif, which holds one back."""
    graph, clocks = None, deque[tuple[Any, ...]]()
    for frame in frames:
        graph = _bwdif(frame) if graph is None else graph
        clocks.append((frame.pts, frame.duration, frame.time_base))
        graph.vpush(frame)
        yield from _ready(graph, clocks)
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph, clocks)


def _bwdif(frame: VideoFrame) -> Graph:
    graph = import_av().filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add("bwdif", _BWDIF), graph.add("buffersink")).configure()
    return graph


def _ready(graph: Graph, clocks: deque[tuple[Any, ...]]) -> Iterator[VideoFrame]:
    """Yield what can be had from the filter by now, with the times that went in."""
    with suppress(BlockingIOError, EOFError):  # it waits for a frame; it was the last
        while True:
            frame = graph.vpull()
            frame.pts, frame.duration, frame.time_base = clocks.popleft()
            yield frame
