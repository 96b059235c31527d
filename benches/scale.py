#!/usr/bin/env python3
"""Does a photo cost the same in a large vault? Counts what each stage asks for and works for one photo more, in vaults of two sizes.

usage: scale.py [--photovault CMD] [--items N,N] [--photos N] [--rounds N] [--read]      (needs boto3: `make setup` installs it)

Imports a library into two engines, stops them, and copies each row about its photos until the catalog has so many items (in its SQLite file: a million
uploads would take hours). A copy lies some years earlier, at the same place on about the same day of the year, and has the same name; so there are thousands of
photos on each day. Then the same photos come again by turns, as other bytes: of the same instants as copies, at the same places and
under the same names. Requests and units are by the engine's own meter, processor time by the kernel: the least of all rounds. Exits with 1 where one
photo more costs more than 1.2 times as much in the larger vault. `--read` times the commands that read the larger vault, each with the most memory that it had.
"""
import argparse, datetime, hashlib, json, math, os, random, signal, sqlite3, subprocess, sys, tempfile, time, urllib.request

STAGES = ("validate", "dispatch", "thumbnail", "metadata", "memories", "tag", "notify", "analytics")
# What is shown, and what the engine's meter calls it.
KEYS = {"requests": "table_requests", "read units": "table_reads", "write units": "table_writes", "CPU ms": "cpu_ms"}
MOST = 1.2
# The kernel counts a process's time in hundredths of a second: what is a few of them for all photos of a round has no ratio.
CLOCK_MS = 0.25
YEARS = 20
READS = (("ls",), ("ls", "--latest"), ("ls", "--place", "Kyoto", "--limit", "1000000"), ("moments", "ls"), ("memories", "--kind", "on-this-day"), ("memories", "--kind", "trip"),
         ("memories", "--best-of", "2015-06"), ("memories",), ("places",), ("people", "ls"), ("find", "dog"), ("failures",), ("duplicates", "--tier", "same-bytes"))

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--items", default="10000,1000000")
    ap.add_argument("--photos", type=int, default=40)
    ap.add_argument("--rounds", type=int, default=6)
    ap.add_argument("--read", action="store_true")
    a = ap.parse_args()
    sizes = [int(size) for size in a.items.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        library = os.path.join(scratch, "library")
        subprocess.run([a.photovault, "sample", library, "--photos", str(a.photos), "--size", "0.05"], check=True, stdout=subprocess.DEVNULL)
        vaults = [Vault(os.path.abspath(a.photovault), os.path.join(scratch, str(size)), size) for size in sizes]
        try:
            for vault in vaults:
                vault.start()
                vault.ask("import", os.path.join(library, "photos"))
                vault.follow(a.photos)
                vault.ask("invoke", "backup", "-e", "-", stdin="{}")
                vault.stop()
                multiply(vault.data, vault.table, vault.size - a.photos)
                vault.start()
            costs = {vault: [] for vault in vaults}
            # The first round warms everything up and is not counted.
            for turn in range(a.rounds + 1):
                again = copied(library, os.path.join(scratch, f"again{turn}"), turn)
                before = {vault: vault.used() for vault in vaults}
                for vault in vaults[:: 1 if turn % 2 else -1]: vault.ask("import", again)
                for vault in vaults: costs[vault].append(vault.spent(before[vault], a.photos * (turn + 2)))
            over = show(sizes, [[least(costs[vault][1:], stage, figure, a.photos) for vault in vaults] for stage in STAGES for figure in KEYS])
            if a.read: print(f"\n| in a vault of {sizes[-1]:,} items | seconds | MB |\n|---|---|---|")
            for words in READS if a.read else ():
                seconds, megabytes = vaults[-1].time(*words)
                print(f"| `{' '.join(words)}` | {seconds:.1f} | {megabytes:.0f} |", flush=True)
        finally:
            for vault in vaults: vault.stop()
    if over: sys.exit(f"more than {MOST} times as much in the larger vault: {', '.join(over)}")

def show(sizes, table):
    """Prints a line for each stage, and gives what is over."""
    over, rows = [], iter(table)
    heads = [f"{figure}, {size:,}" for figure in KEYS for size in sizes]
    print("| one photo more | " + " | ".join(heads) + " | most |\n|---|" + "---|" * (len(heads) + 1))
    for stage in STAGES:
        cells, ratios = [], []
        for figure, values in zip(KEYS, rows):
            cells += [f"{value:.2f}" for value in values]
            if values[0] > (CLOCK_MS if figure == "CPU ms" else 0):
                ratios.append(values[-1] / values[0])
                if ratios[-1] > MOST: over.append(f"{figure} of {stage}, {ratios[-1]:.2f}")
        print(f"| {stage} | " + " | ".join(cells) + f" | {max(ratios):.2f} |", flush=True)
    return over

def least(rounds, stage, figure, photos):
    return min(used[stage][KEYS[figure]] for used in rounds) / photos

class Vault:
    def __init__(self, photovault, data, size):
        self.photovault, self.data, self.size, self.engine = photovault, data, size, None

    def start(self):
        up = [self.photovault, "up", "--data", self.data, "--address", "127.0.0.1:0", "--recognition", "labels", "--json"]
        self.engine = subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        told = json.loads(self.engine.stdout.readline())
        self.endpoint, self.table = told["endpoint"], told["table"]

    def stop(self):
        if self.engine and self.engine.poll() is None:
            self.engine.send_signal(signal.SIGINT)
            self.engine.wait(60)

    def ask(self, *words, stdin=None):
        out = subprocess.run([self.photovault, *words, "--data", self.data, "--json"], input=stdin, check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def follow(self, photos):
        """Counters follow within a minute."""
        end = time.time() + 300
        while {stage["stage"]: stage["states"].get("done") for stage in self.ask("stats")[0]["stages"]}.get("notify") != photos:
            if time.time() > end: sys.exit("the counters do not follow")
            time.sleep(2)

    def used(self):
        return json.load(urllib.request.urlopen(f"{self.endpoint}/_photovault/used"))["used"]

    def spent(self, before, photos):
        """What each stage did since then, once all of these photos are counted."""
        self.follow(photos)
        after = self.used()
        return {stage: {key: after[stage][key] - before.get(stage, {}).get(key, 0) for key in KEYS.values()} for stage in STAGES}

    def time(self, *words):
        began = time.time()
        command = subprocess.Popen([self.photovault, *words, "--data", self.data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        most_kb = 0
        while command.poll() is None:
            # Not what `wait4` says: that begins with what this process has.
            try: most_kb = max(most_kb, *(int(line.split()[1]) for line in open(f"/proc/{command.pid}/status") if line.startswith("VmHWM")), 0)
            except OSError: pass
            time.sleep(0.02)
        if command.returncode: sys.exit(f"{' '.join(words)} ended with {command.returncode}")
        return time.time() - began, most_kb / 1024

def copied(library, folder, turn):
    """The same library, each file with a comment more (a COM segment behind its start)."""
    photos = os.path.join(library, "photos")
    for at, _, names in os.walk(photos):
        to = os.path.join(folder, os.path.relpath(at, photos))
        os.makedirs(to)
        for name in names:
            word, jpeg = f"again {turn:6}".encode(), open(os.path.join(at, name), "rb").read()
            open(os.path.join(to, name), "wb").write(jpeg[:2] + b"\xff\xfe" + (len(word) + 2).to_bytes(2, "big") + word + jpeg[2:])
    return folder

def multiply(data, table, copies):
    """So many items more, each like one of those that are there, some years earlier or in this one, and up to half an hour off."""
    file = sqlite3.connect(os.path.join(data, "catalog.db"))
    rows = file.execute(f'SELECT * FROM "{table}" WHERE pk LIKE ? OR pk LIKE ?', ("S:U#owner%", "S:A#owner#I")).fetchall()
    columns = [column[1] for column in file.execute(f'PRAGMA table_info("{table}")')]
    pk, sk, body = (columns.index(name) for name in ("pk", "sk", "item_json"))
    bases = [Base(row, rows, (pk, sk, body)) for row in rows if row[pk] == "S:U#owner" and row[sk].startswith("S:M#")]
    chance, counts, pictures = random.Random(1), {}, "derivatives/owner/"
    def moved(number):
        back_ms = number // len(bases) % YEARS * 365 * 86_400_000 + chance.randrange(-1_800_000, 1_800_000)
        return hashlib.md5(f"{copies} {number}".encode()).hexdigest(), number % len(bases), back_ms
    def written():
        # In the keys' order: each goes behind the one before.
        for other, number, back_ms in sorted(moved(number) for number in range(copies)):
            base = bases[number]
            then = base.local - datetime.timedelta(milliseconds=back_ms)
            # Its pictures are those of the other, which are there: nobody mends it.
            changes = ((pictures + base.media, pictures), (base.media, other), (pictures, pictures + base.media), (str(base.at), f"{base.at - back_ms:013}"), (base.local.isoformat(), then.isoformat(timespec="seconds")))
            base.count(counts, then)
            for row in base.rows:
                for old, new in changes: row = tuple(value.replace(old, new) if isinstance(value, str) else value for value in row)
                yield row
    def write(rows): file.executemany(f'INSERT OR REPLACE INTO "{table}" VALUES ({",".join("?" * len(columns))})', rows)
    # Nobody reads it meanwhile, and it is thrown away.
    file.execute("PRAGMA synchronous = OFF")
    file.execute("PRAGMA journal_mode = OFF")
    write(written())
    # What several items share: counts by place and day, and of each name the latest 32, of which there are more.
    like = {row[pk]: row for row in rows}
    def shared(row, key, told):
        row = list(row)
        row[sk], row[body] = f"S:{key}", json.dumps({**told, "pk": {"S": row[pk][2:]}, "sk": {"S": key}})
        return row
    for row in rows:
        if row[sk].startswith("S:N#"):
            photos = [{"S": hashlib.md5(f"{row[sk]} {number}".encode()).hexdigest()} for number in range(32)]
            write([shared(row, row[sk][2:], {**json.loads(row[body]), "photos": {"L": photos}})])
        elif row[pk] == "S:U#owner#H":
            told = json.loads(row[body])
            add(counts, row[sk][2:], {day: int(photos["N"]) for day, photos in told["days"]["M"].items()}, [int(one["N"]) for one in told["sums"]["L"]])
    for name, (days, sums) in counts.items():
        told = {"days": {"M": {day: {"N": str(photos)} for day, photos in days.items()}}, "sums": {"L": [{"N": str(one)} for one in sums]}}
        write([shared(like["S:U#owner#H"], name, told)])
    file.commit()
    file.close()

class Base:
    """An item and the rows beside it."""
    def __init__(self, row, rows, columns):
        pk, sk, body = columns
        self.media, item = row[sk][4:], json.loads(row[body])
        self.at = int(item["placed"]["N"])
        self.local = datetime.datetime.fromisoformat(item["facts"]["M"]["captured"]["M"]["local"]["S"])
        beside = [other for other in rows if self.media in other[sk] and other[pk] not in ("S:U#owner", "S:U#owner#B")]
        self.rows = [row, *beside]
        self.position = json.loads(next(other[body] for other in beside if other[pk] == "S:U#owner#T")).get("position")

    def count(self, counts, then):
        """Counts a copy of it as `shared/insight/src/bases.rs` does."""
        latitude, longitude = (float(self.position["M"][name]["N"]) for name in ("latitude", "longitude")) if self.position else (0, 0)
        line = math.floor(latitude / 0.045)
        width = max(math.cos(math.radians((line + 0.5) * 0.045)), 0.01)
        cell = f"{line:+05}{math.floor(longitude * width / 0.045):+05}" if self.position else "nowhere"
        add(counts, f"{cell}#{then:%Y-%m}", {str(then.day): 1}, (round(latitude * 1e6), round(longitude * 1e6)))

def add(counts, name, days, sums):
    known = counts.setdefault(name, ({}, [0, 0]))
    for day, photos in days.items(): known[0][day] = known[0].get(day, 0) + photos
    for place, one in enumerate(sums): known[1][place] += one

if __name__ == "__main__":
    main()
