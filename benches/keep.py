#!/usr/bin/env python3
"""Does a hurt vault come back, and how long does a restore drill take?

usage: keep.py [--photovault CMD] [--photos N] [--hurt N]      (needs boto3: `make setup` installs it)

Generates a library of small photos, imports it into an engine on an empty folder, backs it up and drills the restore. Then it hurts so many
photos in each of the ways of WAYS, calls each schedule's function as its schedule does, and looks at every photo itself: by the object's bytes, by the
item, by the log. Last, somebody with an application's rights deletes every original. Prints a table, and fails where anything was passed over.
"""
import argparse, collections, concurrent.futures, hashlib, json, os, signal, subprocess, sys, tempfile, time

import boto3

DAY_MS = 86_400_000
# What is done to so many photos each, and what must come of it.
WAYS = {
    "original missing, all versions": "healed from the backup",
    "original altered by a byte": "healed from the backup",
    "original missing here and in the backup": "reported as lost",
    "derivative missing": "made again",
    "derivative of nothing": "removed",
    "original without its item": "taken in again",
    "stuck: running, and nobody works": "worked to its end",
    "in the trash for 31 days": "removed",
    "backup copy missing": "reported, and saved again",
    "backup copy altered": "reported, and saved again",
}

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--photos", type=int, default=10_000)
    ap.add_argument("--hurt", type=int, default=50, help="of each kind")
    a = ap.parse_args()
    photovault = os.path.abspath(a.photovault)
    with tempfile.TemporaryDirectory() as scratch:
        library, data = os.path.join(scratch, "library"), os.path.join(scratch, "data")
        subprocess.run([photovault, "sample", library, "--photos", str(a.photos), "--size", "0.02", "--json"], check=True, stdout=subprocess.DEVNULL)
        engine = subprocess.Popen([photovault, "up", "--data", data, "--address", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            engine.stdout.readline()
            Vault(photovault, data, scratch).told(library, a.hurt)
        finally:
            engine.send_signal(signal.SIGKILL)
            engine.wait()

class Vault:
    def __init__(self, photovault, data, scratch):
        self.photovault, self.data, self.scratch = photovault, data, scratch
        self.names = json.load(open(os.path.join(data, "engine.json")))
        at = {"endpoint_url": self.names["endpoint"], "region_name": self.names["region"], "aws_access_key_id": self.names["access_key"], "aws_secret_access_key": self.names["secret_key"]}
        self.s3, self.table = boto3.client("s3", **at), boto3.resource("dynamodb", **at).Table(self.names["table"])

    def ask(self, *words):
        """Runs a command; its lines as JSON."""
        out = subprocess.run([self.photovault, *words, "--data", self.data, "--json"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def call(self, function, event={}):
        """Calls a function as its schedule does, until it says that it is through; adds up what it says."""
        path, whole, began, calls = os.path.join(self.scratch, "event.json"), collections.Counter(), time.time(), 0
        while True:
            json.dump(event, open(path, "w"))
            answer = self.ask("invoke", function, "-e", path)[0]["answer"]
            for name, value in answer.items():
                if isinstance(value, dict): whole.update(value)
                elif isinstance(value, int): whole[name] += value
            calls, event = calls + 1, {**event, "all": False}
            if answer.get("complete", True): break
        whole.pop("complete", None)
        print(f"{function:<8} {calls} × {time.time() - began:7.1f} s in all  {dict(whole)}", flush=True)
        return whole

    def items(self):
        return self.ask("ls", "--limit", "100000000")

    def come_to_rest(self):
        """Nothing is left to do when every stage of every item has ended, the telling included."""
        end = time.time() + 900
        under_way = lambda item: any(entry["state"] in ("pending", "running") for entry in item["ledger"].values())
        while any(under_way(item) for item in self.items()):
            if time.time() > end: sys.exit("work does not end")
            time.sleep(5)

    def drill(self):
        began = time.time()
        drill = self.ask("verify", "--drill")[0]
        print(f"drill    {drill['matched']:,} of {drill['originals']:,} originals match their SHA-256, {(time.time() - began) / 60:.2f} min", flush=True)
        return drill["originals"] - drill["matched"]

    def erase(self, bucket, key):
        for version in self.s3.list_object_versions(Bucket=self.names[bucket], Prefix=key).get("Versions", []):
            self.s3.delete_object(Bucket=self.names[bucket], Key=key, VersionId=version["VersionId"], BypassGovernanceRetention=True)

    def alter(self, bucket, key):
        body = bytearray(self.s3.get_object(Bucket=self.names[bucket], Key=key)["Body"].read())
        body[-1] ^= 1
        self.s3.put_object(Bucket=self.names[bucket], Key=key, Body=bytes(body))

    def change(self, item, words, **values):
        key = {"pk": f"U#{item['user']}", "sk": f"M#{item['id']}"}
        named = {f":{name}": value for name, value in values.items()}
        reserved = {f"#{word}": word for word in ("state", "ledger") if f"#{word}" in words}
        self.table.update_item(Key=key, UpdateExpression=f"SET {words}, version = version + :one", ExpressionAttributeValues={**named, ":one": 1}, **({"ExpressionAttributeNames": reserved} if reserved else {}))

    def holds(self, bucket, key):
        return bool(self.s3.list_objects_v2(Bucket=self.names[bucket], Prefix=key).get("KeyCount"))

    def is_whole(self, bucket, item):
        try: body = self.s3.get_object(Bucket=self.names[bucket], Key=item["object"])["Body"].read()
        except self.s3.exceptions.NoSuchKey: return False
        return hashlib.sha256(body).hexdigest() == item["sha256"]

    def hurt(self, way, item):
        if way == "original missing, all versions": self.erase("vault_bucket", item["object"])
        elif way == "original altered by a byte": self.alter("vault_bucket", item["object"])
        elif way == "original missing here and in the backup":
            for bucket in ("vault_bucket", "backup_bucket"): self.erase(bucket, item["object"])
        elif way == "derivative missing": self.erase("vault_bucket", item["derivatives"]["files"][0]["key"])
        elif way == "derivative of nothing": self.s3.put_object(Bucket=self.names["vault_bucket"], Key=orphan(item), Body=b"orphan")
        elif way == "original without its item": self.table.delete_item(Key={"pk": f"U#{item['user']}", "sk": f"M#{item['id']}"})
        elif way == "stuck: running, and nobody works":
            hour_ago = int(time.time() * 1000) - 3_600_000
            self.change(item, "#ledger.thumbnail.#state = :running, work_pk = :work, work_at = created, updated = :ago", running="running", work="work", ago=hour_ago)
        elif way == "in the trash for 31 days":
            self.change(item, "trashed = :ago, work_at = :ago", ago=int(time.time() * 1000) - 31 * DAY_MS)
        elif way == "backup copy missing": self.erase("backup_bucket", item["object"])
        elif way == "backup copy altered": self.alter("backup_bucket", item["object"])

    def ended(self, way, item, now, log):
        """Whether of a hurt photo has come what must."""
        here = now.get(item["id"])
        if way == "original missing here and in the backup":
            return ("original_lost", item["id"]) in log and here["status"] == "failed"
        if way == "in the trash for 31 days":
            return ("trash_emptied", item["id"]) in log and here is None and not self.holds("vault_bucket", item["object"])
        if way == "derivative of nothing": return not self.holds("vault_bucket", orphan(item))
        whole = here is not None and here["status"] == "ready" and self.is_whole("vault_bucket", item) and self.holds("vault_bucket", here["derivatives"]["files"][0]["key"])
        if way.startswith("backup copy"): return whole and self.is_whole("backup_bucket", item)
        return whole and (not way.startswith("original missing") or ("original_healed", item["id"]) in log)

    def told(self, library, hurt):
        began = time.time()
        self.ask("import", os.path.join(library, "photos"))
        self.come_to_rest()
        items = self.items()
        photos = [item for item in items if item["status"] == "ready"]
        print(f"import   {len(photos):,} photos of {len(items):,} ready, {(time.time() - began) / 60:.1f} min")
        if len(photos) < len(WAYS) * hurt or len(photos) < len(items): sys.exit("too few photos are ready")
        self.call("backup")
        unmatched = self.drill()
        victims = {way: photos[n * hurt:(n + 1) * hurt] for n, way in enumerate(WAYS)}
        self.ask("trash", "put", *(item["id"] for item in victims["in the trash for 31 days"]))
        for way, chosen in victims.items():
            for item in chosen: self.hurt(way, item)

        self.call("verify", {"all": True})
        # As if a quarter of an hour, and then two days, had gone by.
        self.call("health", {"all": True, "stalled_s": 0})
        self.come_to_rest()
        self.call("cleanup", {"all": True})
        for _ in range(2): self.call("cleanup", {"all": True, "leftover_days": 0})
        self.call("backup")
        in_backup = self.drill()
        self.call("backup", {"full": True})
        self.come_to_rest()
        healed_drill = self.drill()

        log = {(line["deed"], line["media"]) for line in self.ask("audit", "--limit", "1000000")}
        now = {item["id"]: item for item in self.items()}
        good = True
        print(f"\n| injected | photos | what came of it | of them |\n|---|---|---|---|")
        for way, chosen in victims.items():
            ended = sum(self.ended(way, item, now, log) for item in chosen)
            good &= ended == len(chosen)
            print(f"| {way} | {len(chosen)} | {WAYS[way]} | {ended} |", flush=True)
        print(f"\nThe drills missed {unmatched} originals before, {in_backup} after, and {healed_drill} once a full backup was made.")
        good &= unmatched == 0 and in_backup == 3 * hurt and healed_drill == 0 and self.counts_agree(now)

        kept = [item for item in now.values() if item["status"] == "ready"]
        for first in range(0, len(kept), 1000):
            keys = [{"Key": item["object"]} for item in kept[first:first + 1000]]
            self.s3.delete_objects(Bucket=self.names["vault_bucket"], Delete={"Objects": keys})
        self.call("health", {"all": True})
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            whole = sum(pool.map(lambda item: self.is_whole("vault_bucket", item), kept))
        print(f"Of {len(kept):,} originals that were all deleted with an application's rights, {len(kept) - whole} are lost.")
        if not good or whole < len(kept): sys.exit("not everything was found")

    def counts_agree(self, now):
        """The counters follow within a minute."""
        there = collections.Counter(item["status"] for item in now.values())
        end = time.time() + 120
        while True:
            stats = self.ask("stats")[0]
            counted = collections.Counter()
            for kind in stats["kinds"]: counted.update({end: n for end, n in kind["items"].items() if n})
            if counted == there or time.time() > end: break
            time.sleep(5)
        print(f"The counters say {dict(counted)}; there are {dict(there)}.")
        return counted == there

def orphan(item):
    return f"derivatives/{item['user']}/{item['id'][::-1]}/000000000000/small.jpg"

if __name__ == "__main__":
    main()
