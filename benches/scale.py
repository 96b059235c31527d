#!/usr/bin/env python3
"""Does a photo cost the same in a large vault? Imports the same photos into an empty and into a filled catalog.

usage: scale.py [--photovault CMD] [--items N] [--photos N] [--rounds N]      (needs boto3: `make setup` installs it)

Fills one engine's catalog with items like those that an import leaves behind, then imports the same library into both
engines by turns, another library every round, and compares the medians.
"""
import argparse, json, os, signal, statistics, subprocess, sys, tempfile, time

import boto3

def start(photovault, data):
    engine = subprocess.Popen([photovault, "up", "--data", data, "--address", "127.0.0.1:0"], stdout=subprocess.DEVNULL)
    told, end = os.path.join(data, "engine.json"), time.time() + 30
    while not os.path.exists(told):
        if time.time() > end: sys.exit("the engine did not start")
        time.sleep(0.05)
    return engine, json.load(open(told))

def client(name, at):
    return boto3.client(name, endpoint_url=at["endpoint"], region_name=at["region"], aws_access_key_id=at["access_key"], aws_secret_access_key=at["secret_key"])

def item(number):
    media = f"{number:032x}"
    entry = {"M": {"state": {"S": "done"}, "recipe": {"S": "0" * 12}, "input": {"S": media * 2}, "attempts": {"N": "1"}, "took_ms": {"N": "60"}, "cost_microusd": {"N": "1"}}}
    files = [{"M": {"name": {"S": name}, "key": {"S": f"derivatives/owner/{media}/{'0' * 12}/{name}.jpg"}, "mime": {"S": "image/jpeg"},
                    "width": {"N": "1024"}, "height": {"N": "768"}, "size_bytes": {"N": "90000"}}} for name in ("small", "medium", "large")]
    upload = {"M": {"name": {"S": f"{number}.jpg"}, "bucket": {"S": "b"}, "key": {"S": f"users/owner/{number}.jpg"}, "version": {"S": "v"}, "at": {"N": "1"}}}
    return {"PutRequest": {"Item": {
        "pk": {"S": "U#owner"}, "sk": {"S": f"M#{media}"}, "user": {"S": "owner"}, "id": {"S": media}, "format": {"S": "jpeg"}, "size_bytes": {"N": "4000000"},
        "uploads": {"L": [upload]}, "created": {"N": "1"}, "updated": {"N": "1"}, "version": {"N": "5"},
        "ledger": {"M": {stage: entry for stage in ("validate", "thumbnail", "metadata", "notify")}},
        "derivatives": {"M": {"files": {"L": files}, "thumbhash": {"S": "YWJj"}}}}}}

def fill(at, items):
    table = client("dynamodb", at)
    for first in range(0, items, 25):
        table.batch_write_item(RequestItems={at["table"]: [item(n) for n in range(first, min(first + 25, items))]})

def cpu_ticks(pid):
    return sum(int(f) for f in open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:15])

def come_to_rest(pid):
    """The stream of the filling is behind us when the engine has been idle for five seconds."""
    while True:
        before = cpu_ticks(pid)
        time.sleep(5)
        if cpu_ticks(pid) - before < 25: return

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--items", type=int, default=100_000)
    ap.add_argument("--photos", type=int, default=100)
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        vaults = {name: os.path.join(scratch, name) for name in ("empty", "full")}
        running = {name: start(a.photovault, data) for name, data in vaults.items()}
        try:
            fill(running["full"][1], a.items)
            come_to_rest(running["full"][0].pid)
            seconds = {name: [] for name in vaults}
            for turn in range(a.rounds):
                library = os.path.join(scratch, f"library{turn}")
                subprocess.run([a.photovault, "sample", library, "--photos", str(a.photos), "--seed", str(turn)], check=True, stdout=subprocess.DEVNULL)
                for name in sorted(vaults, reverse=bool(turn % 2)):
                    began = time.time()
                    subprocess.run([a.photovault, "import", "--data", vaults[name], os.path.join(library, "photos"), "--json"], check=True, stdout=subprocess.DEVNULL)
                    seconds[name].append(time.time() - began)
        finally:
            for engine, _ in running.values():
                engine.send_signal(signal.SIGINT)
                engine.wait(30)
    empty, full = (statistics.median(seconds[name]) for name in ("empty", "full"))
    print(f"{a.photos} photos into an empty catalog: {empty:.2f} s; into one of {a.items:,} items: {full:.2f} s; ratio {full / empty:.2f} (rounds {seconds})")

if __name__ == "__main__":
    main()
