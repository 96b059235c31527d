#!/usr/bin/env python3
"""CPU seconds of what is made of videos: `photovault_movie` beside the ffmpeg command, and the table by which work is predicted.

Each clip is three seconds of a moving fractal with noise, encoded by what ffmpeg has. The copy for browsers is measured against ffmpeg with
the same decoder, scaler, encoder and settings, alternating, the least of several. Then the costs of a decoded and of an encoded pixel are
told apart by two sizes of the copy, and shown beside DECODING_NS, ENCODING_NS and TONE_MAPPING_NS of shared/domain/src/processing.rs.
"""

import argparse
import resource
import subprocess
import tempfile
from pathlib import Path

SECONDS = 3
FRAMES = 30 * SECONDS
SIZE = (3840, 2160)
RUNS = 4
# Name, encoder's options, container.
CLIPS = [
    ("h264 8", "-c:v libx264 -preset ultrafast -b:v 40M -pix_fmt yuv420p -g 30", "mp4"),
    ("hevc 8", "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30 -b:v 30M -pix_fmt yuv420p -tag:v hvc1", "mov"),
    ("hevc 10", "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30 -b:v 30M -pix_fmt yuv420p10le -tag:v hvc1", "mov"),
    ("hevc 10 HLG", "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=30:colorprim=9:transfer=18:colormatrix=9 "
     "-b:v 30M -pix_fmt yuv420p10le -tag:v hvc1", "mov"),
    ("vp9 8", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -b:v 30M -pix_fmt yuv420p -g 30", "webm"),
    ("mpeg4 8", "-c:v mpeg4 -b:v 60M -pix_fmt yuv420p -g 30", "mov"),
    ("prores 10", "-c:v prores_ks -profile:v 2", "mov"),
]


def cpu(command: list[str]) -> float:
    """User and system seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show(program: str, clip: Path, lines: int) -> tuple[float, float, str]:
    """What the example says: CPU seconds without the copy, of the copy, and how much work is predicted."""
    told = subprocess.run([program, str(clip), str(lines)], check=True, capture_output=True, text=True).stdout.split()
    return float(told[told.index("show") + 1]), float(told[told.index("copy") + 1]), told[-1]


def ffmpeg(clip: Path, lines: int) -> float:
    """The same copy by the ffmpeg command."""
    width = SIZE[0] * lines // SIZE[1]
    settings = "-c:v libx264 -profile:v high -preset veryfast -crf 23 -maxrate 4000k -bufsize 8000k -g 60"
    scale = f"scale={width}:{lines}:flags=bicubic"
    command = f"ffmpeg -v error -y -i {clip} -an -vf {scale} -pix_fmt yuv420p {settings} -f mp4 {clip.parent}/copy.mp4"
    return cpu(command.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", required=True, help="the example `show` of photovault-movie")
    program = parser.parse_args().show
    with tempfile.TemporaryDirectory() as folder:
        print(f"{SECONDS} s of {SIZE[0]} x {SIZE[1]}; CPU seconds, least of {RUNS}; nanoseconds a pixel")
        print(f"{'clip':12} {'show':>6} {'copy':>6} {'ffmpeg':>7} {'ratio':>6} {'decode':>7} {'encode':>7}")
        for name, options, container in CLIPS:
            clip = Path(folder) / f"clip.{container}"
            source = f"ffmpeg -v error -y -f lavfi -i mandelbrot=s={SIZE[0]}x{SIZE[1]}:r=30 -t {SECONDS} -vf noise=alls=6:allf=t"
            try:
                subprocess.run([*source.split(), *options.split(), str(clip)], check=True)
            except subprocess.CalledProcessError:
                print(f"{name:12} skipped: this ffmpeg cannot encode it")
                continue
            shown, copies, others, smaller = [], [], [], []
            for _ in range(RUNS):
                whole, copy, _ = show(program, clip, 720)
                shown.append(whole)
                copies.append(copy)
                others.append(ffmpeg(clip, 720))
                smaller.append(show(program, clip, 360)[1])
            copy, other, small = min(copies), min(others), min(smaller)
            made = 1280 * 720 * FRAMES
            encode = (copy - small) / (made * 3 / 4) * 1e9
            decode = (copy * 1e9 - encode * made) / (SIZE[0] * SIZE[1] * FRAMES)
            ratio = "" if "HLG" in name else f"{copy / other:.2f}"
            print(f"{name:12} {min(shown):6.2f} {copy:6.2f} {other:7.2f} {ratio:>6} {decode:7.2f} {encode:7.2f}")


if __name__ == "__main__":
    main()
