"""Small films, written with PyAV, and what is in a film that was written."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from tests.scenes import scene


def moving_frames(count=12, height=48, width=64, channels=1, step=2, seed=0):
    """A scene that drifts to the left by `step` pixels a frame: (H, W) or (H, W, 3) uint8."""
    wide = scene(height, width + step * count, channels, seed=seed)
    return [np.ascontiguousarray(wide[:, i * step : i * step + width]) for i in range(count)]


def write_clip(
    path,
    frames,
    *,
    codec="libx264",
    pix_fmt="yuv420p",
    rate=25,
    times=None,
    time_base=None,
    rotation=0,
    sound=0.0,
    sound_codec="aac",
    subtitles=(),
    subtitle_codec="mov_text",
    container_options=None,
    options=None,
    metadata=None,
    aspect=None,
):
    """Write frames, (H, W) grey or (H, W, 3) RGB of uint8, as a film; returns its path.

    times: of each frame in units of time_base, for a variable rate. rotation: degrees that a player
    turns it by. sound: seconds of it. subtitles: (start, end, text) in milliseconds.
    """
    with av.open(str(path), "w", options=container_options or {}) as film:
        film.metadata.update(metadata or {})
        video = film.add_stream(codec, rate=rate, options=options or {})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = time_base or 1 / Fraction(rate)
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation:
            video.set_display_rotation(rotation)
        audio = film.add_stream(sound_codec, rate=48000, layout="mono") if sound else None
        texts = film.add_mux_stream(subtitle_codec) if subtitles else None
        for index, pixels in enumerate(frames):
            kind = "gray" if pixels.ndim == 2 else "rgb24"
            frame = av.VideoFrame.from_ndarray(pixels, format=kind)
            frame.pts = times[index] if times else index
            frame.time_base = video.codec_context.time_base
            film.mux(video.encode(frame))
        film.mux(video.encode())
        if audio:
            _write_sound(film, audio, sound)
        for start, end, text in subtitles:
            film.mux(_subtitle(texts, subtitle_codec, start, end, text))
    return path


@dataclass(frozen=True)
class Clip:
    """What a film holds.

    times are the frames' exact seconds, frames RGB (H, W, 3), luma its plane as written.
    """

    codecs: list[str]
    frames: list[np.ndarray]
    luma: list[np.ndarray]
    times: list[Fraction]
    seconds: Fraction
    metadata: dict[str, str]
    pix_fmt: str


def read_clip(path):
    """Decode a film's pictures; turned as its display matrix says they are not."""
    frames, luma, times = [], [], []
    with av.open(str(path)) as film:
        (video,) = film.streams.video
        for frame in film.decode(video):
            frames.append(frame.to_ndarray(format="rgb24"))
            luma.append(plane(frame))
            times.append(frame.pts * frame.time_base)
        return Clip(
            codecs=[one.codec_context.name for one in film.streams if one.codec_context],
            frames=frames,
            luma=luma,
            times=times,
            seconds=video.duration * video.time_base if video.duration else Fraction(0),
            metadata=dict(film.metadata),
            pix_fmt=video.codec_context.pix_fmt,
        )


def sound_of(path):
    """(samples,) of the first sound track, and the exact second at which it starts."""
    with av.open(str(path)) as film:
        frames = list(film.decode(audio=0))
        samples = np.concatenate([frame.to_ndarray().mean(0) for frame in frames])
        return samples, frames[0].pts * frames[0].time_base


def packets_of(path, kind):
    """The payloads of one kind of stream, such as "audio", in their order."""
    with av.open(str(path)) as film:
        (stream,) = [one for one in film.streams if one.type == kind]
        return [bytes(packet) for packet in film.demux(stream) if packet.size]


def plane(frame):
    """(H, W) of the first plane of an 8-bit frame."""
    first = frame.planes[0]
    rows = np.frombuffer(first, np.uint8).reshape(-1, first.line_size)
    return rows[: frame.height, : frame.width].copy()


def _write_sound(film, audio, seconds):
    rate = 48000
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    resampler = av.AudioResampler(
        format=audio.codec_context.format,
        layout="mono",
        rate=rate,
        frame_size=audio.codec_context.frame_size or 1024,
    )
    whole = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
    whole.sample_rate, whole.pts = rate, 0
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        film.mux(audio.encode(frame))
    film.mux(audio.encode())


def _subtitle(stream, codec, start, end, text):
    payload = text.encode()
    if codec == "mov_text":
        payload = len(payload).to_bytes(2, "big") + payload
    packet = av.Packet(payload)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = start
    packet.duration = end - start
    return packet
