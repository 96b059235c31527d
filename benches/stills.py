#!/usr/bin/env python3
"""What derivatives of one still cost, beside other programs in the same run.

usage: stills.py --stills CMD [--cache DIR] [--repetitions N] [--only NAME ...]

CMD is the example `stills` of photovault-media. The inputs are made here: a wall of scikit-image's photographs with a camera's
noise, as JPEG of 12, 24, 48 and 100 megapixels and as HEIC of 12. All write three JPEG files (320, 1024, 2048 pixels, quality 80,
4:2:0). What is compared is CPU time (user and system, of all threads; the least of N repetitions, since other load only adds) on
one core; then wall time on one core and on two. SSIM is that of the brightness, against the full picture resized in floating
point. Programs that are not installed are left out, and that is said. Writes a table in Markdown.
"""
import argparse, io, json, os, resource, shutil, subprocess, sys, tempfile

SIZES = {"large": 2048, "medium": 1024, "small": 320}
QUALITY = 80
PEERS = os.path.dirname(os.path.abspath(__file__))
PHOTOS = ["coffee.png", "astronaut.png", "chelsea.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png", "motorcycle_right.png", "hubble_deep_field.jpg", "color.png"]
INPUTS = {"12 MP": (4000, 3000), "24 MP": (6000, 4000), "48 MP": (8000, 6000), "100 MP panorama": (20000, 5000)}

def venv(cache):
    """Runs this script again with Pillow, numpy and scikit-image."""
    python = os.path.join(cache, "venv", "bin", "python")
    if not os.path.exists(python):
        print("installing Pillow, numpy and scikit-image into", cache, file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", os.path.join(cache, "venv")], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "pillow", "numpy", "scikit-image"], check=True)
    if os.path.realpath(sys.prefix) != os.path.realpath(os.path.join(cache, "venv")): os.execv(python, [python, *sys.argv])

def scene(size):
    """Photographs side by side, with the noise that a camera leaves."""
    import numpy, skimage
    from PIL import Image
    folder = os.path.join(os.path.dirname(skimage.__file__), "data")
    photos = [Image.open(os.path.join(folder, name)).convert("RGB") for name in PHOTOS if os.path.exists(os.path.join(folder, name))]
    tile = (max(size) // 5, max(size) * 3 // 20)
    wall = Image.new("RGB", size)
    places = [(x, y) for y in range(0, size[1], tile[1]) for x in range(0, size[0], tile[0])]
    for place, at in enumerate(places):
        photo = photos[(place + place // 5) % len(photos)]
        scale = max(tile[0] / photo.width, tile[1] / photo.height)
        wall.paste(photo.resize((int(photo.width * scale) + 1, int(photo.height * scale) + 1), Image.LANCZOS).crop((0, 0, *tile)), at)
    samples, random = numpy.asarray(wall).copy(), numpy.random.default_rng(7)
    for top in range(0, size[1], 256):
        rows = samples[top:top + 256].astype(numpy.float32)
        rows += random.normal(0, 3, rows.shape[:2])[:, :, None] + random.normal(0, 1, rows.shape)
        samples[top:top + 256] = rows.round().clip(0, 255)
    return Image.fromarray(samples)

def inputs(folder):
    files = {}
    for name, size in INPUTS.items():
        files[name] = os.path.join(folder, name.replace(" ", "-") + ".jpg")
        if os.path.exists(files[name]): continue
        picture = scene(size)
        picture.save(files[name], quality=90, subsampling="4:2:0")
        if name == "12 MP" and shutil.which("heif-enc"):
            picture.save(os.path.join(folder, "12-MP.png"), compress_level=1)
            subprocess.run(["heif-enc", "-q", "60", os.path.join(folder, "12-MP.png"), "-o", os.path.join(folder, "12-MP.heic")], check=True, capture_output=True)
    heic = os.path.join(folder, "12-MP.heic")
    if os.path.exists(heic): files["12 MP HEIC"] = heic
    return files

# A process's peak of memory is at least that of the one that started it, so a small one stands between.
STARTER = """
import json, os, sys, time
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
_, status, used = os.wait4(process, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), (used.ru_utime + used.ru_stime) * 1e3, (time.perf_counter() - began) * 1e3, used.ru_maxrss * 1024]), file=sys.stderr)
"""

def run(*commands, cores="0"):
    """CPU and wall milliseconds and the peak of memory of processes one after the other, and what the last one wrote."""
    total, out = {"cpu_ms": 0, "wall_ms": 0, "peak_bytes": 0}, b""
    for command in commands:
        done = subprocess.run([sys.executable, "-S", "-c", STARTER, "taskset", "-c", cores, *command], capture_output=True)
        status, cpu_ms, wall_ms, peak_bytes = json.loads(done.stderr)
        if status: raise RuntimeError(f"{command[0]} ended with {status}")
        total = {"cpu_ms": total["cpu_ms"] + cpu_ms, "wall_ms": total["wall_ms"] + wall_ms, "peak_bytes": max(total["peak_bytes"], peak_bytes)}
        out = done.stdout
    return total, out

def least(repetitions, *commands):
    """The least of several runs."""
    runs = [run(*commands)[0] for _ in range(repetitions)]
    return {key: min(each[key] for each in runs) for key in runs[0]}

class Likeness:
    """SSIM of derivatives with the picture that was resized in floating point."""
    def __init__(self, file, heic_source):
        import numpy
        from PIL import Image
        Image.MAX_IMAGE_PIXELS = None
        brightness = self.brightness(Image.open(heic_source or file))
        self.wanted = {}
        for name, side in SIZES.items():
            scale = side / max(brightness.shape)
            size = [round(length * scale) for length in brightness.shape[::-1]]
            self.wanted[name] = numpy.asarray(Image.fromarray(brightness).resize(size, Image.LANCZOS)).clip(0, 255)

    @staticmethod
    def brightness(picture):
        import numpy
        return numpy.asarray(picture.convert("RGB"), dtype=numpy.float32) @ numpy.array([.299, .587, .114], dtype=numpy.float32)

    def of(self, folder):
        from PIL import Image
        from skimage.metrics import structural_similarity
        return [float(structural_similarity(self.wanted[name], self.brightness(Image.open(os.path.join(folder, name + ".jpg"))), data_range=255)) for name in SIZES]

def peers(file, folder, ours, modules, repetitions):
    """What each program is called with; its name, its result, whether its derivatives are to be looked at."""
    three = [os.path.join(folder, name + ".jpg") for name in SIZES]
    heic = file.endswith(".heic")
    warm = json.loads(run([ours, file, str(repetitions), folder])[1])
    yield "PhotoVault, warm", warm, True
    yield "PhotoVault, cold", least(repetitions, [ours, file, "1", folder]), False
    if modules and not heic:
        node = lambda count, cores="0": json.loads(run(["node", os.path.join(PEERS, "stills.mjs"), modules, file, str(count), "1", folder], cores=cores)[1])
        result = node(repetitions)
        for way, name in (("cascade", "sharp, warm, one decode"), ("each", "sharp, warm, a decode for each size")):
            yield name, {**result[way], "peak_bytes": result["peak_bytes"]}, way == "cascade"
        yield "sharp, cold", least(repetitions, ["node", os.path.join(PEERS, "stills.mjs"), modules, file, "1", "1", folder]), False
    if shutil.which("vipsthumbnail"):
        commands = [["env", "VIPS_CONCURRENCY=1", "vipsthumbnail", file, "-s", str(side), "-o", f"{path}[Q={QUALITY},strip]"] for path, side in zip(three, SIZES.values())]
        yield "vipsthumbnail × 3", least(repetitions, *commands), True
    magick = shutil.which("magick") or shutil.which("convert")
    if magick:
        write = [part for path, side in zip(three, SIZES.values()) for part in ("-resize", f"{side}x{side}", "-quality", str(QUALITY), "-sampling-factor", "4:2:0", "-write", path)]
        yield "ImageMagick", least(max(1, repetitions // 3), [magick, "-limit", "thread", "1", "-define", "jpeg:size=2458x2458", file, "-auto-orient", *write, "null:"]), True
    if heic:
        yield "libheif's decode alone", json.loads(run([ours, "--libheif", file, str(repetitions)])[1]), False
        if shutil.which("heif-convert"):
            yield "heif-convert to one JPEG", least(repetitions, ["heif-convert", "-q", str(QUALITY), file, three[0]]), False
    elif shutil.which("djpeg") and shutil.which("cjpeg"):
        from PIL import Image
        run([ours, file, "1", folder])
        raw = [path + ".ppm" for path in three]
        for path, to in zip(three, raw): Image.open(path).save(to)
        yield "floor: djpeg -scale 1/2 and cjpeg × 3", least(repetitions, ["djpeg", "-scale", "1/2", "-outfile", "/dev/null", file], *(["cjpeg", "-quality", str(QUALITY), "-outfile", "/dev/null", path] for path in raw)), False
        yield "djpeg -scale 1/8 alone (reading the codes)", least(repetitions, ["djpeg", "-scale", "1/8", "-outfile", "/dev/null", file]), False

def two_cores(file, folder, ours, modules, repetitions):
    for cores in ("0", "0,1"):
        yield f"PhotoVault, {len(cores.split(','))} core(s)", json.loads(run([ours, file, str(repetitions), folder], cores=cores)[1])["wall_ms"]
        if modules:
            result = json.loads(run(["node", os.path.join(PEERS, "stills.mjs"), modules, file, str(repetitions), str(len(cores.split(","))), folder], cores=cores)[1])
            yield f"sharp, {len(cores.split(','))} core(s)", min(result[way]["wall_ms"] for way in ("each", "cascade"))

def sharp_modules(cache):
    if not shutil.which("node"): return None
    modules = os.path.join(cache, "node")
    if not os.path.exists(os.path.join(modules, "node_modules", "sharp")):
        if not shutil.which("npm"): return None
        print("installing sharp into", modules, file=sys.stderr)
        os.makedirs(modules, exist_ok=True)
        if subprocess.run(["npm", "install", "--silent", "--prefix", modules, "sharp@0.35"]).returncode: return None
    return modules

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stills", required=True)
    parser.add_argument("--cache", default=os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "photovault", "stills"))
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    os.makedirs(options.cache, exist_ok=True)
    venv(options.cache)
    modules = sharp_modules(options.cache)
    missing = [name for name, there in {"sharp (node, npm)": modules, "vipsthumbnail": shutil.which("vipsthumbnail"), "ImageMagick": shutil.which("magick") or shutil.which("convert"),
        "djpeg and cjpeg": shutil.which("djpeg"), "heif-enc and heif-convert": shutil.which("heif-enc")}.items() if not there]
    if missing: print("Skipped, since not installed:", ", ".join(missing), "\n")
    for name, file in inputs(options.cache).items():
        if options.only and name not in options.only: continue
        with tempfile.TemporaryDirectory() as folder:
            likeness = Likeness(file, os.path.join(options.cache, "12-MP.png") if file.endswith(".heic") else None)
            print(f"\n**{name}**, {os.path.getsize(file) / 1e6:.1f} MB\n\n| | CPU ms | × ours | peak MB | SSIM 2048 / 1024 / 320 |\n|---|---:|---:|---:|---|")
            ours = {}
            for peer, result, is_seen in peers(file, folder, options.stills, modules, options.repetitions):
                ours = ours or result
                seen = " / ".join(f"{value:.4f}" for value in likeness.of(folder)) if is_seen else ""
                print(f"| {peer} | {result['cpu_ms']:.0f} | {result['cpu_ms'] / ours['cpu_ms']:.2f} | {result['peak_bytes'] / 1e6:.0f} | {seen} |", flush=True)
            if not file.endswith(".heic"):
                print("\nWall ms: " + ", ".join(f"{who} {ms:.0f}" for who, ms in two_cores(file, folder, options.stills, modules, options.repetitions)))

main()
