#!/usr/bin/env python3
"""`sam local invoke` against the vault that runs on this machine: what `sam build` made, in AWS's image of Lambda.

  sam_local.py VideoFunction functions/video/events/job.json
  GATEWAY=host.containers.internal sam_local.py VideoFunction event.json --skip-pull-image

The vault was started by `photovault up --address 0.0.0.0:4455`, so that containers reach it, and the functions were built for this
machine's processor: `ARCHITECTURE=x86_64 sam build`. Needs a container engine that speaks Docker's API.

  DATA=vault-data                 the vault's folder
  GATEWAY=host.docker.internal    how a container calls this machine; of Podman: host.containers.internal
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

BUILT = pathlib.Path(__file__).resolve().parent.parent / ".aws-sam/build"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.usage = "%(prog)s FUNCTION EVENT [options of sam local invoke]"
    parser.add_argument("function", metavar="FUNCTION", help="its name in template.yaml")
    parser.add_argument("event", metavar="EVENT", help="a file of JSON")
    asked, options = parser.parse_known_args()
    function = asked.function
    data = pathlib.Path(os.environ.get("DATA", "vault-data"))
    processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    if not shutil.which("sam"):
        sys.exit("sam_local.py: there is no sam on the PATH: `make setup` puts it into ~/.cache/photovault/venv/bin")
    if not (BUILT / function / "bootstrap").exists():
        sys.exit(f"sam_local.py: {function} is not built: ARCHITECTURE={processor} sam build {function}")
    if not (data / "engine.json").exists():
        sys.exit(f"sam_local.py: no vault runs in {data}: photovault up --data {data} --address 0.0.0.0:4455")
    vault = json.loads((data / "engine.json").read_text())
    gateway = os.environ.get("GATEWAY", "host.docker.internal")
    endpoint = vault["endpoint"].replace("127.0.0.1", gateway)

    file = tempfile.NamedTemporaryFile
    with file("w", suffix=".json") as variables, file("w", suffix=".yaml", dir=BUILT) as template:
        json.dump({"Parameters": environment(vault, function)}, variables)
        # sam hands a function no variable that its template does not declare, and the address is none of them.
        text = (BUILT / "template.yaml").read_text()
        text, found = re.subn(r"(?m)^( *)(RUST_LOG:)", rf"\1AWS_ENDPOINT_URL: {endpoint}\n\1\2", text, count=1)
        if not found:
            sys.exit(f"sam_local.py: {BUILT}/template.yaml gives functions no RUST_LOG, beside which the vault's address is to stand")
        template.write(text)
        variables.flush()
        template.flush()
        command = ["sam", "local", "invoke", function, "--event", asked.event, "--template", template.name, "--env-vars", variables.name]
        command += ["--parameter-overrides", f"Architecture={processor}"]
        if gateway == "host.docker.internal":
            command += ["--add-host", f"{gateway}:host-gateway"]
        keys = {"AWS_ACCESS_KEY_ID": vault["access_key"], "AWS_SECRET_ACCESS_KEY": vault["secret_key"], "AWS_REGION": vault["region"]}
        sys.exit(subprocess.run([*command, *options], env={**os.environ, **keys}).returncode)


def environment(vault, function):
    """The template's variables whose values are the vault's own."""
    names = {"TABLE": "table", "UPLOADS_BUCKET": "uploads_bucket", "VAULT_BUCKET": "vault_bucket"}
    names |= {"BACKUP_BUCKET": "backup_bucket", "BACKUP_KEY": "backup_key"}
    own = {variable: vault[name] for variable, name in names.items()} | vault["choices"]
    queues = {f"QUEUE_{name.upper().replace('-', '_')}": url for name, url in vault["queues"].items()}
    queues["QUEUE_SELF"] = queues.get(f"QUEUE_{function.removesuffix('Function').upper()}", "")
    return own | queues


main()
