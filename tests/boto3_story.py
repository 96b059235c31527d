"""A client that is not ours: boto3 uploads in four ways, waits for the functions, and reads the derivatives back.

    python tests/boto3_story.py vault-data/engine.json photo.jpg photo2.jpg photo3.jpg photo4.jpg

Works on any engine; on AWS, write a file of the same fields. Ends with 0 and a line per check, or with an AssertionError.
"""

import base64
import hashlib
import io
import json
import sys
import time
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

USER = "boto3"
PART_BYTES = 5 * 1024 * 1024
WAIT_S = 60
ENDED = {"done", "rejected", "failed"}


def main(engine_json, photos):
    engine = json.load(open(engine_json, encoding="utf-8"))
    s3, dynamodb, sqs = (client(engine, name) for name in ("s3", "dynamodb", "sqs"))
    uploads, vault = engine["uploads_bucket"], engine["vault_bucket"]
    files = [open(path, "rb").read() for path in photos]
    files[1] = padded(files[1], 2 * PART_BYTES)

    put(s3, uploads, files[0])
    multipart(s3, uploads, files[1])
    presigned(s3, uploads, files[2])
    streamed(s3, uploads, files[3])
    strangers_are_refused(engine)

    names = {"put.jpg", "multipart.jpg", "presigned ü+ %2B.jpg", "streamed.jpg"}
    items = wait(engine, names)
    for name, data in zip(["put.jpg", "multipart.jpg", "presigned ü+ %2B.jpg", "streamed.jpg"], files):
        check_item(s3, vault, name, items[name], data)
    queues_are_empty(sqs, engine)
    listing(s3, vault)


def client(engine, service, access_key=None, secret_key=None):
    return boto3.client(
        service,
        endpoint_url=engine["endpoint"],
        region_name=engine["region"],
        aws_access_key_id=access_key or engine["access_key"],
        aws_secret_access_key=secret_key or engine["secret_key"],
        config=Config(retries={"max_attempts": 1}, signature_version="s3v4" if service == "s3" else None),
    )


def put(s3, bucket, data):
    digest = hashlib.sha256(data).digest()
    checksum = base64.b64encode(digest).decode()
    s3.put_object(Bucket=bucket, Key=f"users/{USER}/put.jpg", Body=data, ChecksumSHA256=checksum)
    wrong = base64.b64encode(bytes(32)).decode()
    try:
        s3.put_object(Bucket=bucket, Key=f"users/{USER}/wrong.jpg", Body=data, ChecksumSHA256=wrong)
        raise AssertionError("a wrong checksum was taken")
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
    said("put_object, its SHA-256 checked")


def multipart(s3, bucket, data):
    assert len(data) > 2 * PART_BYTES
    transfer = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2)
    s3.upload_fileobj(io.BytesIO(data), bucket, f"users/{USER}/multipart.jpg", Config=transfer)
    said(f"multipart upload of {len(data)} bytes")


def presigned(s3, bucket, data):
    key = f"users/{USER}/presigned ü+ %2B.jpg"
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key, "ContentType": "image/jpeg"}, ExpiresIn=300)
    request = urllib.request.Request(url, data=data, method="PUT", headers={"Content-Type": "image/jpeg"})
    with urllib.request.urlopen(request) as response:
        assert response.status == 200, response.status
    said("presigned PUT, a key with a space, a plus, a percent sign and an umlaut")


def streamed(s3, bucket, data):
    s3.put_object(Bucket=bucket, Key=f"users/{USER}/streamed.jpg", Body=io.BytesIO(data), ChecksumAlgorithm="CRC32")
    said("streamed put_object with a CRC32 trailer")


def strangers_are_refused(engine):
    url = f"{engine['endpoint']}/{engine['uploads_bucket']}/stranger.jpg"
    try:
        urllib.request.urlopen(urllib.request.Request(url, data=b"x", method="PUT"))
        raise AssertionError("an upload without credentials was taken")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error.code
    for service, call in [
        ("s3", lambda it: it.list_objects_v2(Bucket=engine["uploads_bucket"])),
        ("dynamodb", lambda it: it.scan(TableName=engine["table"], Limit=1)),
        ("sqs", lambda it: it.receive_message(QueueUrl=engine["queues"]["validate"])),
    ]:
        try:
            call(client(engine, service, secret_key="not-the-secret"))
            raise AssertionError(f"{service} took a wrong signature")
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403), error
    said("no credentials and wrong signatures are refused by S3, DynamoDB and SQS")


def wait(engine, names):
    table = boto3.resource(
        "dynamodb",
        endpoint_url=engine["endpoint"],
        region_name=engine["region"],
        aws_access_key_id=engine["access_key"],
        aws_secret_access_key=engine["secret_key"],
    ).Table(engine["table"])
    started = time.monotonic()
    while time.monotonic() - started < WAIT_S:
        rows = table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :media)",
            ExpressionAttributeValues={":pk": f"U#{USER}", ":media": "M#"},
            ConsistentRead=True,
        )["Items"]
        ended = {row["uploads"][-1]["name"]: row for row in rows if all(it["state"] in ENDED for it in row["ledger"].values())}
        if names <= ended.keys():
            said(f"{len(names)} items ended")
            return ended
        time.sleep(0.2)
    raise AssertionError(f"after {WAIT_S} s only {sorted(ended)} of {sorted(names)} have ended")


def check_item(s3, vault, name, item, data):
    assert {stage: it["state"] for stage, it in item["ledger"].items()} == {
        "validate": "done",
        "thumbnail": "done",
        "metadata": "done",
        "memories": "done",
        "notify": "done",
    }, (name, item["ledger"])
    assert item["sha256"] == hashlib.sha256(data).hexdigest()
    stored = s3.get_object(Bucket=vault, Key=item["object"])["Body"].read()
    assert stored == data, f"{name}: the original is not what was uploaded"
    files = item["derivatives"]["files"]
    kinds = [(file["name"], file["mime"]) for file in files]
    jpeg, webp = "image/jpeg", "image/webp"
    assert kinds == [("small", jpeg), ("medium", jpeg), ("large", jpeg), ("small", webp)], kinds
    for derivative in files:
        got = s3.get_object(Bucket=vault, Key=derivative["key"])
        picture = got["Body"].read()
        assert got["ContentType"] == derivative["mime"] and "immutable" in got["CacheControl"], got
        assert len(picture) == derivative["size_bytes"]
        if derivative["mime"] == webp:
            assert picture[:4] == b"RIFF" and picture[8:12] == b"WEBP", f"{name}: {derivative['name']} is no WebP"
            continue
        assert picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9", f"{name}: {derivative['name']} is no JPEG"
        assert jpeg_size(picture) == (derivative["width"], derivative["height"])
    said(f"{name}: original and {len(files)} derivatives read back")


def queues_are_empty(sqs, engine):
    for stage, url in engine["queues"].items():
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert counts["ApproximateNumberOfMessages"] == "0", (stage, counts)
    said("nothing is left in any queue")


def listing(s3, vault):
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=vault, Prefix=f"derivatives/{USER}/", PaginationConfig={"PageSize": 3}
    ):
        keys += [it["Key"] for it in page.get("Contents", [])]
    pictures = [key for key in keys if key.endswith((".jpg", ".jpeg"))] or keys
    assert len(pictures) >= 12 and keys == sorted(keys), keys
    said(f"{len(keys)} derivatives listed in pages of three")


def padded(jpeg, size):
    """The same picture in a larger file: comment segments after the first marker."""
    segment = b"\xff\xfe" + (65535).to_bytes(2, "big") + bytes(65533)
    return jpeg[:2] + segment * (size // len(segment) + 1) + jpeg[2:]


def jpeg_size(data):
    at = 2
    while at < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + length
    raise AssertionError("no frame header")


def said(what):
    print(f"ok: {what}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:6])
