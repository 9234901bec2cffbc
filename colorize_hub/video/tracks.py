"""The film put together: the new picture with the sound, subtitles and metadata of the old."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_hub.video.opening import Warn, file_url, import_av, open_film, picture_stream
from colorize_hub.video.reader import ClipFacts
from colorize_hub.video.writer import Segment, segment_packets, writing_error

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

Convert = Callable[["Packet | None"], Iterable["Packet"]]  # None asks for what is still held back

_PLAYED = {"aac", "flac", "mp3", "opus"}  # sound that MP4 holds and browsers play
_TEXT = {"ass", "mov_text", "ssa", "subrip", "text", "webvtt"}
_AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}  # by channels
_BITS_PER_CHANNEL = 80_000
_INTERLEAVED = 10  # seconds that tracks of a film may lie apart in the file
_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
_OF_A_TRACK = ("language", "title", "handler_name", "creation_time")


def join(segments: list[Segment], clip: ClipFacts, target: Path, whole: bool, warn: Warn) -> None:
    """Write an MP4 that a browser plays from its start on while it loads.

    Sound that browsers play is copied, other sound becomes AAC; text subtitles become mov_text,
    others are left out. A film that begins later than 0 is moved to 0, all tracks alike.

    Args:
        segments: the picture.
        clip: the film that everything else is from.
        target: file to write.
        whole: the picture is all there; else sound and subtitles end where it ends.
        warn: told in a sentence what had to be left out.

    Raises:
        OSError, VideoError: the target cannot be written.
    """
    try:
        _join(segments, clip, target, whole, warn)
    except import_av().error.FFmpegError as error:
        raise writing_error(target, error) from error


def _join(segments: list[Segment], clip: ClipFacts, target: Path, whole: bool, warn: Warn) -> None:
    av = import_av()
    ticks = clip.time_base.denominator
    options = {
        "movflags": "faststart+use_metadata_tags",
        "movie_timescale": str(ticks * -(-1000 // ticks)),  # of a late start: exact, not in ms
    }
    with (
        open_film(clip.path) as film,
        av.open(file_url(segments[0].path)) as sample,
        av.open(file_url(target), "w", format="mp4", options=options) as output,
    ):
        picture = output.add_stream_from_template(sample.streams.video[0])
        old_picture = picture_stream(film, clip.path)
        _describe(picture, old_picture)
        tracks = {
            stream.index: convert
            for stream in film.streams
            if stream.index != old_picture.index and (convert := _track(output, stream, warn))
        }
        sources = [old_picture, *(film.streams[index] for index in tracks)]
        shift = max(Fraction(0), min(map(_start, sources)))
        end = _end(segments, clip) if not whole else None
        kept = {k: v for k, v in film.metadata.items() if k.lower() not in _OF_THE_FILE}
        output.metadata.update(kept)
        _copy_chapters(film, output, shift, end)
        new = _to_stream(segment_packets(segments, clip), picture)
        old = _others(film, tracks, end, warn)
        for packet in heapq.merge(new, old, key=_time):
            moved = round(shift / packet.time_base)
            packet.pts, packet.dts = (packet.pts or 0) - moved, (packet.dts or 0) - moved
            output.mux_one(packet)


def _track(output: OutputContainer, stream: Stream, warn: Warn) -> Convert | None:
    """Add a track like one of the old film's; return what turns old packets into new ones."""
    if stream.type == "audio":
        convert = _sound(output, stream)
    elif stream.type == "subtitle":
        convert = _subtitles(output, stream)
    elif stream.type == "video":
        convert = None
    else:
        return None
    if convert is None:
        warn(f"A track was left out, as it does not fit in: {stream.type}, {_codec(stream)}.")
    return convert


def _sound(output: OutputContainer, stream: Any) -> Convert | None:  # noqa: ANN401
    av = import_av()
    if stream.codec_context is None:
        return None
    if _codec(stream) in _PLAYED:
        copy = output.add_stream_from_template(stream)
        _describe(copy, stream)
        return lambda packet: () if packet is None else _to_stream((packet,), copy)
    old = stream.codec_context
    rate = old.sample_rate if old.sample_rate in _AAC_RATES else 48_000
    layout = _LAYOUTS.get(old.layout.nb_channels, "stereo")
    new = output.add_stream("aac", rate=rate, layout=layout)
    new.codec_context.bit_rate = _BITS_PER_CHANNEL * len(new.codec_context.layout.channels)
    _describe(new, stream)
    resampler = av.AudioResampler("fltp", layout, rate, frame_size=1024)

    def recode(packet: Packet | None) -> Iterator[Packet]:
        for frame in () if packet is None else packet.decode():
            for part in resampler.resample(frame):
                yield from new.encode(part)
        if packet is None:
            for part in resampler.resample(None):
                yield from new.encode(part)
            yield from new.encode(None)

    return recode


def _subtitles(output: OutputContainer, stream: Any) -> Convert | None:  # noqa: ANN401
    av = import_av()
    if stream.codec_context is None or _codec(stream) not in _TEXT:
        return None
    new = output.add_mux_stream("mov_text", time_base=Fraction(1, 1000))
    _describe(new, stream)

    def retell(packet: Packet | None) -> Iterator[Packet]:
        texts = [] if packet is None else [part.dialogue for part in packet.decode()]
        if packet is not None and (text := b"\n".join(texts).strip()):
            told = av.Packet(len(text).to_bytes(2, "big") + text)
            told.stream, told.time_base = new, packet.time_base
            told.pts = told.dts = packet.pts
            told.duration = packet.duration
            yield told

    return retell


def _others(
    film: InputContainer, tracks: dict[int, Convert], end: Fraction | None, warn: Warn
) -> Iterator[Packet]:
    """Yield the packets of all other tracks, each track's times rising."""
    av = import_av()
    latest: dict[int, int] = {}
    damaged = 0

    def converted(index: int, packet: Packet | None) -> Iterator[Packet]:
        for new in tracks[index](packet):
            new.dts = new.pts if new.dts is None else new.dts
            new.pts = new.dts if new.pts is None else new.pts
            if new.dts is None or new.dts <= latest.get(index, new.dts - 1):
                continue
            if end is None or _time(new) < end:
                latest[index] = new.dts
                yield new

    packets = film.demux([film.streams[index] for index in tracks]) if tracks else iter(())
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):  # said when the picture was read
            break
        if packet is None or (end is not None and _time(packet) > end + _INTERLEAVED):
            break
        try:
            if packet.size:
                yield from converted(packet.stream_index, packet)
        except (av.error.FFmpegError, ValueError):
            damaged += 1
    for index in tracks:
        yield from converted(index, None)
    if damaged:
        warn(f"{damaged} damaged parts of the sound or the subtitles were left out.")


def _to_stream(packets: Iterable[Packet], stream: Stream) -> Iterator[Packet]:
    for packet in packets:
        packet.stream = stream
        yield packet


def _copy_chapters(
    film: InputContainer, output: OutputContainer, shift: Fraction, end: Fraction | None
) -> None:
    chapters = []
    for chapter in film.chapters():
        base = chapter["time_base"] or Fraction(1)
        if end is None or chapter["start"] * base < end:
            moved = round(shift / base)
            times = {"start": chapter["start"] - moved, "end": chapter["end"] - moved}
            chapters.append({**chapter, **times})
    if chapters:
        output.set_chapters(chapters)


def _describe(new: Stream, old: Stream) -> None:
    new.metadata.update({key: old.metadata[key] for key in _OF_A_TRACK if key in old.metadata})
    new.disposition = old.disposition


def _codec(stream: Stream) -> str:
    coder = stream.codec_context
    return "unknown" if coder is None else coder.codec.canonical_name


def _start(stream: Stream) -> Fraction:
    return (stream.start_time or 0) * (stream.time_base or Fraction(0))


def _end(segments: list[Segment], clip: ClipFacts) -> Fraction:
    """Return the second at which the picture ends."""
    *_, last = segment_packets(segments[-1:], clip)
    return ((last.pts or 0) + (last.duration or 0)) * clip.time_base


def _time(packet: Packet) -> Fraction:
    return (packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base
