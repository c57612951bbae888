#!/usr/bin/env bash
# awscli 1.46.3 encodes a --copy-source that is encoded already, as its own help asks for.
#
# The help of `aws s3api copy-object`, and the service model it is made of, say that the value must be
# URL-encoded. Whoever does so copies nothing that has a blank, an apostrophe or an umlaut in its key:
# the program encodes the percent signs too, and S3 looks for another key. The plain key is right.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" awscli==1.46.3 botocore==1.44.5
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
python - <<'PYTHON'
import re
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import quote, unquote

import botocore.session

KEY = "bucket/it's all.csv"
seen = []


class Server(BaseHTTPRequestHandler):
    def do_PUT(self):
        seen.append(self.headers["x-amz-copy-source"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<CopyObjectResult/>")

    def log_message(self, *_args):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}"
command = ["environment/bin/aws", "s3api", "copy-object", "--bucket", "bucket", "--key", "copy.csv"]
for source in (quote(KEY), KEY):
    subprocess.run(
        [*command, "--copy-source", source, "--endpoint-url", endpoint],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    print(f"{source!r:26} is sent as {seen[-1]!r}, which names {unquote(seen[-1])!r}")

model = botocore.session.get_session().get_service_model("s3").shape_for("CopyObjectRequest")
documented = re.sub(r"<[^>]+>", "", model.members["CopySource"].documentation)
assert "The value must be URL-encoded" in documented
assert [unquote(each) for each in seen] == [quote(KEY), KEY], seen
PYTHON
