#!/usr/bin/env python3
"""What importing costs: codec and hash CPU against all CPU, and photos a second beside vipsthumbnail and exiftool.

usage: import.py [--photovault CMD] [--photos N] [--megapixels N] [--json]

Generates a sample library, starts an engine on an empty folder, imports, and reads CPU times of the engine and its
children from /proc. The functions log the CPU that they spent in decode, resize, encode and hashing (`work.cpu_ns`, a
running total by process); the engine, which verifies what is uploaded, shows its own on the health page. The peer is the shell loop that does the same to the same files: vipsthumbnail in three sizes
and exiftool. Times on a shared machine vary; the ratios are what counts.
"""
import argparse, collections, glob, json, os, resource, signal, subprocess, sys, tempfile, threading, time, urllib.request

SIZES = (320, 1024, 2048)
TICKS = os.sysconf("SC_CLK_TCK")

def stats():
    """The fields of /proc/<pid>/stat behind the name, by process: the parent is the second."""
    found = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try: found[int(stat.split("/")[2])] = open(stat).read().rsplit(")", 1)[1].split()
        except OSError: continue
    return found

def family(root):
    """A process and all that descend from it: the engine, the functions, and the decoders that they started."""
    found = stats()
    members = [root]
    for member in members: members += [pid for pid, fields in found.items() if fields[1] == str(member)]
    return {pid: found[pid] for pid in members if pid in found}

class Meter(threading.Thread):
    """CPU seconds of a process and of all that ever descended from it. It looks often, since who is orphaned is waited for by nobody here."""
    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.seen = root, {}
        self.start()

    def look(self):
        self.seen.update({pid: int(fields[11]) + int(fields[12]) for pid, fields in family(self.root).items()})
        return sum(list(self.seen.values())) / TICKS

    def run(self):
        while True: time.sleep(0.2); self.look()

def work_cpu_s(data):
    """The functions' own account of decode, resize, encode and hashing, by process the highest total, and the engine's of hashing."""
    highest = collections.defaultdict(int)
    for log in glob.glob(os.path.join(data, "logs", "*.log*")):
        for line in open(log, errors="replace"):
            try: entry = json.loads(line)
            except ValueError: continue
            if "work.cpu_ns" in entry: highest[entry["process.pid"]] = max(highest[entry["process.pid"]], entry["work.cpu_ns"])
    endpoint = json.load(open(os.path.join(data, "engine.json")))["endpoint"]
    health = json.load(urllib.request.urlopen(endpoint + "/_photovault/health"))
    return (sum(highest.values()) + health["hash_cpu_ns"]) / 1e9

def peer_s(photos, out):
    began, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for photo in photos:
        for size in SIZES:
            subprocess.run(["vipsthumbnail", photo, "-s", str(size), "-o", os.path.join(out, f"%s-{size}.jpg[Q=80,strip]")], check=True)
        subprocess.run(["exiftool", "-json", "-n", photo], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

def wait_until(check, seconds, what):
    end = time.time() + seconds
    while not check():
        if time.time() > end: sys.exit(f"{what} took more than {seconds} s")
        time.sleep(0.02)

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--photos", type=int, default=200)
    ap.add_argument("--megapixels", default="12")
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library, data, out = (os.path.join(scratch, name) for name in ("library", "data", "peer"))
        os.mkdir(out)
        subprocess.run([a.photovault, "sample", library, "--photos", str(a.photos), "--size", a.megapixels], check=True, stdout=subprocess.DEVNULL)
        photos = sorted(glob.glob(library + "/**/*.jpg", recursive=True))
        began = time.time()
        engine = subprocess.Popen([a.photovault, "up", "--data", data, "--address", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.exists(os.path.join(data, "engine.json")), 30, "the start of the engine")
            ready_s = time.time() - began
            meter = Meter(engine.pid)
            before, began = meter.look(), time.time()
            subprocess.run([a.photovault, "import", "--data", data, os.path.join(library, "photos"), "--json"], check=True, stdout=subprocess.DEVNULL)
            import_s = time.time() - began
            time.sleep(20)  # the digest's window closes, so that telling the owner is paid for too
            all_cpu, work_cpu = meter.look() - before, work_cpu_s(data)
            idle_before = meter.look()
            time.sleep(10)
            idle = (meter.look() - idle_before) / 10
            memory_mb = sum(pss_mb(pid) for pid in family(engine.pid))
        finally:
            engine.send_signal(signal.SIGINT)
            engine.wait(30)
        peer_wall, peer_cpu = peer_s(photos, out)
    figures = {
        "photos": len(photos), "up_ready_s": round(ready_s, 2), "import_s": round(import_s, 2), "photos_per_s": round(len(photos) / import_s, 2),
        "work_cpu_s": round(work_cpu, 2), "all_cpu_s": round(all_cpu, 2), "work_over_all": round(work_cpu / all_cpu, 3),
        "peer_s": round(peer_wall, 2), "peer_cpu_s": round(peer_cpu, 2), "speed_over_peer": round(peer_wall / import_s, 2), "cpu_peer_over_ours": round(peer_cpu / all_cpu, 2),
        "idle_core_share": round(idle, 4), "idle_pss_mb": round(memory_mb),
    }
    print(json.dumps(figures) if a.json else "\n".join(f"{name:20} {value}" for name, value in figures.items()))

def pss_mb(pid):
    """Memory in MB, pages that several processes map divided among them."""
    rows = dict(line.split(":", 1) for line in open(f"/proc/{pid}/smaps_rollup") if ":" in line[:20])
    return int(rows["Pss"].split()[0]) / 1024

if __name__ == "__main__":
    main()
