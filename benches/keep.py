#!/usr/bin/env python3
"""Does a hurt vault come back, and how long does a restore drill take?

usage: keep.py [--photovault CMD] [--photos N] [--hurt N]

Generates a library of small photos, imports it into an engine on an empty folder, backs it up, and hurts it: so many originals missing with all
their versions, so many altered by a byte, so many derivatives of nothing, so many items in the trash. Then it calls each
schedule's function, prints what each found, and drills the restore: counts, SHA-256 matches, minutes. Needs boto3.
"""
import argparse, json, os, signal, subprocess, sys, tempfile, time

import boto3

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
            told(photovault, data, scratch, a)
        finally:
            engine.send_signal(signal.SIGKILL)
            engine.wait()

def told(photovault, data, scratch, a):
    def run(*words):
        began = time.time()
        out = subprocess.run([photovault, *words, "--data", data, "--json"], check=True, capture_output=True, text=True).stdout
        return [json.loads(line) for line in out.splitlines()], time.time() - began

    def call(function, event):
        path = os.path.join(scratch, "event.json")
        open(path, "w").write(json.dumps(event))
        began = time.time()
        out = subprocess.run([photovault, "invoke", function, "-e", path, "--data", data], check=True, capture_output=True, text=True).stdout
        print(f"{function:<8} {json.dumps(event):<44} {time.time() - began:6.1f} s  {out.strip()}", flush=True)
        return json.loads(out)

    _, seconds = run("import", os.path.join(scratch, "library", "photos"))
    items = run("ls", "--limit", "1000000")[0]
    print(f"{len(items)} items after {seconds:.0f} s")
    photos = [item for item in items if item["status"] == "ready"]
    while not call("backup", {})["complete"]: pass
    call("backup", {})

    names = json.load(open(os.path.join(data, "engine.json")))
    s3 = boto3.client("s3", endpoint_url=names["endpoint"], aws_access_key_id=names["access_key"], aws_secret_access_key=names["secret_key"], region_name=names["region"])
    bucket = names["vault_bucket"]
    missing, altered, away = (photos[n * a.hurt:(n + 1) * a.hurt] for n in range(3))
    for item in missing:
        for version in s3.list_object_versions(Bucket=bucket, Prefix=item["object"])["Versions"]:
            s3.delete_object(Bucket=bucket, Key=item["object"], VersionId=version["VersionId"])
    for item in altered:
        body = bytearray(s3.get_object(Bucket=bucket, Key=item["object"])["Body"].read())
        body[-1] ^= 1
        s3.put_object(Bucket=bucket, Key=item["object"], Body=bytes(body))
    for number in range(a.hurt):
        s3.put_object(Bucket=bucket, Key=f"derivatives/owner/{number:032x}/000000000000/small.jpg", Body=b"orphan")
    run("trash", "put", *(item["id"] for item in away))

    found = {"read": 0, "healed": 0, "lost": 0}
    report = run("verify", "--all")[0][0]
    for name in found: found[name] += report[name]
    print(f"verify --all: {report}")
    call("health", {"all": True, "stalled_s": 0})
    at_once = {"all": True, "trash_days": 0, "leftover_days": 0}
    removed = {}
    for _ in range(2):
        for deed, count in call("cleanup", at_once)["removed"].items(): removed[deed] = removed.get(deed, 0) + count
    while not call("backup", {})["complete"]: pass
    drill, seconds = run("verify", "--drill")
    restored, files = run("restore", "--to", os.path.join(scratch, "restored"))
    print(f"drill: {drill[0]['matched']} of {drill[0]['originals']} originals match, {seconds / 60:.1f} min; restore to files: {restored[0]['originals']}, {files / 60:.1f} min")
    ok = found["healed"] == 2 * a.hurt and found["lost"] == 0 and removed.get("trash_emptied") == a.hurt and removed.get("orphans_removed") == a.hurt
    if not ok or drill[0]["matched"] != drill[0]["originals"]: sys.exit(f"not everything was found: {found} {removed}")

if __name__ == "__main__":
    main()
