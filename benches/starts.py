#!/usr/bin/env python3
"""How long does a function take from its start to its first response?

usage: starts.py [--photovault CMD] [--starts N]

Serves the Lambda Runtime API to one function after the other, with an event without records, and prints milliseconds from the
start of the process to its response.
"""
import argparse, http.server, os, statistics, subprocess, sys, threading, time

# Those that an event without records gives nothing to do.
FUNCTIONS = ("validate", "dispatch", "thumbnail", "metadata", "notify", "failures")
EVENT = b'{"Records":[]}'
PATIENCE_S = 5

class RuntimeApi(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.served: return self.server.answered.wait(PATIENCE_S)
        self.server.served = True
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:f")
        self.send_header("Content-Length", str(len(EVENT)))
        self.end_headers()
        self.wfile.write(EVENT)

    def do_POST(self):
        self.server.end = time.perf_counter()
        self.server.ok = self.path.endswith("/response")
        self.server.answered.set()

    def log_message(self, *_): pass

def start_ms(photovault, function):
    api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    api.daemon_threads, api.served, api.answered = True, False, threading.Event()
    api.handle_error = lambda *_: None  # the function is killed while it waits for its next event
    threading.Thread(target=api.serve_forever, daemon=True).start()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}", "AWS_LAMBDA_FUNCTION_NAME": f"photovault-{function}", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_GROUP_NAME": "group", "AWS_LAMBDA_LOG_STREAM_NAME": "stream", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "TABLE": "table", "UPLOADS_BUCKET": "uploads", "VAULT_BUCKET": "vault",
    }
    begin = time.perf_counter()
    child = subprocess.Popen([photovault, "function", function], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    answered = api.answered.wait(PATIENCE_S)
    child.kill()
    child.wait()
    api.shutdown()
    if not answered or not api.ok: sys.exit(f"{function} gave no response within {PATIENCE_S} s")
    return (api.end - begin) * 1000

def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--photovault", default="target/release/photovault")
    ap.add_argument("--starts", type=int, default=20)
    a = ap.parse_args()
    for function in FUNCTIONS:
        times = [start_ms(a.photovault, function) for _ in range(a.starts)]
        print(f"{function:10} fastest {min(times):5.1f} ms, median {statistics.median(times):5.1f} ms")

if __name__ == "__main__":
    main()
