#!/usr/bin/env python3
"""What does looking after a vault cost in a large one? Counts the requests of its schedules, and times the commands.

usage: care.py [--photovault CMD] [--items N,N,…]      (needs boto3: `make setup` installs it)

Imports ten photos, saves them, and lets the counters follow. Then it stops the engine and copies each row that is about the first of them, until the
catalog has so many items (in its SQLite file: a million uploads would take hours), and multiplies the counters. What a copy's row says is what an
import leaves behind, so it has its entry in the timeline and what it was counted for. At each size: one run of each schedule's function with nothing new,
one of `backup` with one more photo, and the commands that must not look through the library, with requests to S3 and DynamoDB by the engine's own meter.
"""
import argparse, hashlib, json, os, signal, sqlite3, subprocess, sys, tempfile, time, urllib.request

ROUNDS = 3

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--items", default="10,10000,1000000")
    a = ap.parse_args()
    photovault, rows = os.path.abspath(a.photovault), []
    with tempfile.TemporaryDirectory() as scratch:
        library, data = os.path.join(scratch, "library"), os.path.join(scratch, "data")
        sizes = [int(size) for size in a.items.split(",")]
        subprocess.run([photovault, "sample", library, "--photos", str(10 + len(sizes)), "--size", "0.02"], check=True, stdout=subprocess.DEVNULL)
        photos = sorted(os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(library, "photos")) for name in names)
        vault = Vault(photovault, data)
        try:
            vault.start()
            vault.ask("import", *photos[:10])
            vault.follow(10)
            vault.run("backup")
            there = 10
            for size, one_more in zip(sizes, photos[10:]):
                if size > there:
                    vault.stop()
                    multiply(data, vault.table, size - there)
                    vault.start()
                rows.append((size, vault.measured(one_more)))
                there = size + 1
        finally:
            vault.stop()
    names = list(rows[0][1])
    print("| | " + " | ".join(f"{size:,} items" for size, _ in rows) + " |\n|---|" + "---|" * len(rows))
    for name in names: print(f"| {name} | " + " | ".join(measured[name] for _, measured in rows) + " |")

class Vault:
    def __init__(self, photovault, data):
        self.photovault, self.data = photovault, data

    def start(self):
        self.engine = subprocess.Popen([self.photovault, "up", "--data", self.data, "--address", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        told = json.loads(self.engine.stdout.readline())
        self.endpoint, self.table = told["endpoint"], told["table"]

    def stop(self):
        self.engine.send_signal(signal.SIGINT)
        self.engine.wait(60)

    def ask(self, *words):
        out = subprocess.run([self.photovault, *words, "--data", self.data, "--json"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def follow(self, items):
        """Counters follow within a minute."""
        end = time.time() + 120
        while True:
            stages = {stage["stage"]: stage["runs"] for stage in self.ask("stats")[0]["stages"]}
            if stages.get("notify") == items: return
            if time.time() > end: sys.exit(f"the counters do not follow: {stages}")
            time.sleep(2)

    def used(self, function):
        used = json.load(urllib.request.urlopen(f"{self.endpoint}/_photovault/used"))["used"]
        return sum(used.get(function, {}).get(kind, 0) for kind in ("table_requests", "s3_puts", "s3_gets", "s3_deletes"))

    def run(self, function):
        """One run with nothing in particular to do, and its requests."""
        before = self.used(function)
        answer = subprocess.run([self.photovault, "invoke", function, "-e", "-", "--data", self.data, "--json"], input="{}", check=True, capture_output=True, text=True).stdout
        return self.used(function) - before, json.loads(answer)["answer"]

    def time(self, *words):
        """The best of some runs, in seconds."""
        took = []
        for _ in range(ROUNDS):
            began = time.time()
            answer = self.ask(*words)
            took.append(time.time() - began)
        return min(took), answer

    def measured(self, one_more):
        told = {}
        # What was missed while the engine stood is made up for first.
        time.sleep(10)
        idle = min(self.run("backup")[0] for _ in range(ROUNDS))
        told["requests of `backup`, nothing new"] = f"{idle}"
        media = self.ask("import", one_more)[0]["media"]
        while any(entry["state"] in ("pending", "running") for entry in self.ask("show", media)[0]["ledger"].values()): time.sleep(1)
        requests, report = self.run("backup")
        if report["items"] != 1: sys.exit(f"the backup saved {report['items']} items instead of one")
        told["requests of `backup`, one photo more"] = f"{requests}"
        for function in ("health", "cleanup", "verify"):
            told[f"requests of `{function}`"] = f"{self.run(function)[0]}"
        took, dry = self.time("backfill", "--stage", "thumbnail", "--dry-run")
        told["`backfill --dry-run`"] = f"{took:.2f} s, {dry[0]['read_units']} read unit"
        told["`stats`"] = f"{self.time('stats')[0]:.2f} s"
        for words in (("show", media[:10]), ("trace", media[:10]), ("trash", "ls")): told[f"`{' '.join(words[:1] if words[0] != 'trash' else words)}`"] = f"{self.time(*words)[0]:.2f} s"
        return told

def multiply(data, table, copies):
    """So many items more, each like the first."""
    file = sqlite3.connect(os.path.join(data, "catalog.db"))
    media = file.execute(f'SELECT substr(sk, 5) FROM "{table}" WHERE pk = ? AND sk LIKE ?', ("S:U#owner", "S:M#%")).fetchone()[0]
    about = file.execute(f'SELECT * FROM "{table}" WHERE (sk LIKE ? OR pk LIKE ?) AND pk NOT LIKE ?', (f"%{media}%", f"%{media}%", "S:U#owner#J%")).fetchall()
    places = ",".join("?" * len(about[0]))
    def copied():
        # In the keys' order: each goes behind the one before.
        for other in sorted(hashlib.md5(f"{copies} {number}".encode()).hexdigest() for number in range(copies)):
            for row in about: yield tuple(value.replace(media, other) if isinstance(value, str) else value for value in row)
    # Nobody reads it meanwhile, and it is thrown away.
    file.execute("PRAGMA synchronous = OFF")
    file.execute("PRAGMA journal_mode = OFF")
    file.executemany(f'INSERT INTO "{table}" VALUES ({places})', copied())
    counters, before = file.execute(f'SELECT item_json, (SELECT count(*) FROM "{table}" WHERE pk = ?) FROM "{table}" WHERE pk = ? AND sk = ?', ("S:A#owner#I", "S:A#owner", "S:now")).fetchone()
    counters = json.loads(counters)
    for count in counters["counts"]["M"].values(): count["N"] = str(int(count["N"]) * before // (before - copies))
    file.execute(f'UPDATE "{table}" SET item_json = ? WHERE pk = ? AND sk = ?', (json.dumps(counters), "S:A#owner", "S:now"))
    file.commit()
    file.close()

if __name__ == "__main__":
    main()
