"""An S3 server of the tests' own (moto), and a proxy before it that answers badly or changes things meanwhile."""

import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import boto3
import botocore.config

KEY, SECRET = "AKIATESTTESTTEST", "CANARY-7f3a-secret"
BUCKET = "acme"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def moto(*seeded):
    """The endpoint of a fresh server with an empty bucket; `seeded`: a prefix, and how many small objects it has."""
    port = free_port()
    command = [sys.executable, __file__, str(port), *map(str, seeded)]
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        for _ in range(600):
            with socket.socket() as connecting:
                if connecting.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the S3 server has ended"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def client(endpoint):
    config = botocore.config.Config(retries={"max_attempts": 2}, max_pool_connections=32)
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=endpoint, config=config, **keys)


def storage_options(endpoint):
    """As deltalake and Polars want them."""
    return {
        "aws_endpoint_url": endpoint,
        "aws_access_key_id": KEY,
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }


class Proxy:
    """Passes requests on. `rule(method, path, headers)` may say instead: a status to answer with, `"strip"` to take
    the condition off, `"drop"` to pass the request on and then hang up; a function is called before it is passed on."""

    def __init__(self, upstream):
        self.upstream = upstream.removeprefix("http://")
        self.rule = lambda method, path, headers: None
        self.seen = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def pass_on(self):
                proxy.pass_on(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = dict(handler.headers)
        self.seen.append((handler.command, handler.path))
        said = self.rule(handler.command, handler.path, {k.lower(): v for k, v in headers.items()})
        if callable(said):
            said()
        if isinstance(said, int):
            return self.answer(handler, said, [], b"<Error><Code>Injected</Code><Message>by the proxy</Message></Error>")
        if said == "strip":
            # the signature covers it, but the server of these tests checks none
            headers = {k: v for k, v in headers.items() if k.lower() != "if-none-match"}
        upstream = http.client.HTTPConnection(self.upstream, timeout=60)
        upstream.request(handler.command, handler.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if said == "drop":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return None
        return self.answer(handler, answer.status, answer.getheaders(), content)

    def answer(self, handler, status, headers, content):
        handler.send_response(status)
        length = None
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                handler.send_header(name, value)
        handler.send_header("content-length", length if handler.command == "HEAD" and length else str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def proxied(upstream):
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()


def serve(port, prefix="", count=0):
    """The server process. Objects that are there from the beginning need no request each."""
    from moto.s3.models import s3_backends
    from moto.server import main

    backend = s3_backends["123456789012"]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    for n in range(int(count)):
        backend.put_object(BUCKET, f"{prefix}/{n:05}.csv", b"id,v\n1,2\n")
    main(["-H", "127.0.0.1", "-p", port])


def environment(**more):
    """The process environment without anything of AWS but what the tests say."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | ENVIRONMENT | {"AWS_EC2_METADATA_DISABLED": "true"} | more


if __name__ == "__main__":
    serve(*sys.argv[1:])
