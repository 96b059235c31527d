#!/usr/bin/env python3
"""CPU seconds and memory of what is made of videos: `photovault_movie` beside the ffmpeg command, and the table by which work is predicted.

Each clip is three seconds of FFmpeg's test picture with noise, encoded by what ffmpeg has; clips of one's own may be named besides. Whole
processes are measured, alternating, the least of several:

- the poster frame (opening, facts, up to five key frames, one picture of 2048 pixels) beside the first frame of `ffmpeg -ss`;
- the preview and the sprite;
- the pictures of the copy for browsers, with the same decoder, scaler, encoder and settings beside ffmpeg. Light of high dynamic range is
  tone mapped on both sides, there by `zscale` and `tonemap`.

The costs of a decoded and of an encoded pixel are told apart by two sizes of the copy; they belong into DECODING_NS, ENCODING_NS and
TONE_MAPPING_NS of shared/domain/src/processing.rs. `predicted` is what that table makes of the clip, in CPU seconds.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 3
LINES, FEWER_LINES = 720, 360
# Cores that a prediction divides the work by.
CORES = 1.7
X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30"
# Name, size, encoder's options, container.
CLIPS = [
    ("h264 8", "3840x2160", "-c:v libx264 -preset ultrafast -b:v 40M -pix_fmt yuv420p -g 30", "mp4"),
    ("h264 8 HD", "1920x1080", "-c:v libx264 -preset veryfast -b:v 12M -pix_fmt yuv420p -g 30", "mp4"),
    ("hevc 8", "3840x2160", f"{X265} -b:v 30M -pix_fmt yuv420p -tag:v hvc1", "mov"),
    ("hevc 10", "3840x2160", f"{X265} -b:v 30M -pix_fmt yuv420p10le -tag:v hvc1", "mov"),
    ("hevc 10 HLG", "3840x2160", f"{X265}:colorprim=9:transfer=18:colormatrix=9 -b:v 30M -pix_fmt yuv420p10le -tag:v hvc1", "mov"),
    ("hevc 10 PQ", "3840x2160", f"{X265}:colorprim=9:transfer=16:colormatrix=9 -b:v 30M -pix_fmt yuv420p10le -tag:v hvc1", "mov"),
    ("vp9 8 HD", "1920x1080", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -b:v 8M -pix_fmt yuv420p -g 30", "webm"),
    ("av1 8 HD", "1920x1080", "-c:v libsvtav1 -preset 12 -b:v 8M -pix_fmt yuv420p -g 30", "mp4"),
    ("mpeg4 8 HD", "1920x1080", "-c:v mpeg4 -b:v 20M -pix_fmt yuv420p -g 30", "mov"),
    ("prores 10 HD", "1920x1080", "-c:v prores_ks -profile:v 2", "mov"),
]


class Least:
    """What a command took at best: CPU seconds and megabytes."""

    def __init__(self) -> None:
        self.cpu_s = self.peak_mb = float("inf")
        self.said = ""

    def run(self, *command: object) -> None:
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        if used.ru_utime + used.ru_stime < self.cpu_s:
            self.cpu_s, self.said = used.ru_utime + used.ru_stime, said
        self.peak_mb = min(self.peak_mb, used.ru_maxrss / 1024)


def encoded(folder: Path, name: str, size: str, options: str, container: str) -> Path | None:
    """A clip, or nothing where this ffmpeg has no such encoder."""
    clip = folder / f"{name.replace(' ', '-')}.{container}"
    if not clip.exists():
        source = f"ffmpeg -v error -y -f lavfi -i testsrc2=s={size}:r=30 -t {SECONDS} -vf noise=alls=6:allf=t"
        if subprocess.run([*source.split(), *options.split(), str(clip)], stderr=subprocess.DEVNULL).returncode != 0:
            clip.unlink(missing_ok=True)
            return None
    return clip


def copy_by_ffmpeg(clip: Path, size: tuple[int, int], is_hdr: bool, copy: Path) -> list[str]:
    """The command that makes the same copy."""
    width, height = size
    scale = f"scale={width}:{height}:flags=bicubic"
    if is_hdr:
        scale = f"zscale=w={width}:h={height}:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"
    settings = "-pix_fmt yuv420p -c:v libx264 -profile:v high -preset veryfast -crf 23 -maxrate 4000k -bufsize 8000k -g 60"
    return ["ffmpeg", "-v", "error", "-y", "-i", str(clip), "-an", "-vf", scale, *settings.split(), "-f", "mp4", str(copy)]


def measure(program: str, name: str, clip: Path, runs: int) -> None:
    """Prints the line of one clip."""
    copy = clip.with_suffix(".copy")
    look, other_look, whole, made, fewer, other = (Least() for _ in range(6))
    look.run(program, "look", clip)
    facts = look.said.strip()
    video = json.loads(facts)
    picture = video["picture"]
    frames = video["duration_ms"] / 1000 * picture["frame_rate"]
    smaller = min(1, LINES / min(picture["width"], picture["height"]))
    size = tuple(round(picture[side] * smaller) & ~1 for side in ("width", "height"))
    poster_at = f"{video['poster_ms'] / 1000:.3f}"
    for _ in range(runs):
        look.run(program, "look", clip)
        other_look.run("ffmpeg", "-v", "error", "-y", "-ss", poster_at, "-i", clip, "-frames:v", 1, "-vf", "scale=2048:-2", "-f", "rawvideo", os.devnull)
        made.run(program, "copy", clip, facts, LINES, copy)
        other.run(*copy_by_ffmpeg(clip, size, "hdr" in picture, copy))
        whole.run(program, "all", clip)
        fewer.run(program, "copy", clip, facts, FEWER_LINES, copy)
    copy.unlink()
    predicted = Least()
    predicted.run(program, "predict", facts, LINES)
    pixels = size[0] * size[1] * frames
    encode_ns = (made.cpu_s - fewer.cpu_s) / (pixels * (1 - (FEWER_LINES / LINES) ** 2)) * 1e9
    decode_ns = (made.cpu_s * 1e9 - encode_ns * pixels) / (picture["coded_width"] * picture["coded_height"] * frames)
    print(
        f"{name:14} {look.cpu_s:6.2f} {other_look.cpu_s:6.2f} {whole.cpu_s - look.cpu_s:7.2f} {made.cpu_s:6.2f} {other.cpu_s:6.2f}"
        f" {made.cpu_s / other.cpu_s:5.2f} {decode_ns:6.1f} {encode_ns:6.1f} {float(predicted.said) * CORES:9.1f}"
        f" {look.peak_mb:6.0f} {whole.peak_mb:5.0f} {made.peak_mb:5.0f} {other.peak_mb:6.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", required=True, help="the example `show` of photovault-movie")
    parser.add_argument("--runs", type=int, default=4, help="of which the least counts")
    parser.add_argument("--only", help="clips whose name has this in it")
    parser.add_argument("--keep", type=Path, help="where encoded clips stay for the next time")
    parser.add_argument("clips", nargs="*", type=Path, help="clips of one's own, besides")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = given.keep or Path(folder)
        print(f"copies of {LINES} lines; CPU seconds, least of {given.runs}; nanoseconds a pixel; MB at the peak")
        print(f"{'':14} poster ffmpeg preview   copy ffmpeg ratio decode encode predicted | poster   all  copy ffmpeg")
        for name, *of in CLIPS:
            if given.only and given.only not in name:
                continue
            clip = encoded(folder, name, *of)
            if clip:
                measure(given.show, name, clip, given.runs)
            else:
                print(f"{name:14} skipped: this ffmpeg cannot encode it")
        for clip in given.clips:
            measure(given.show, clip.stem[:14], clip, given.runs)


if __name__ == "__main__":
    main()
