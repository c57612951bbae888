#!/usr/bin/env bash
# Zoho's own Python SDK (zohocrmsdk8_0 7.0.0) needs a Content-Disposition of one exact spelling.
#
# It cuts the file's name out of the header of a download (results of bulk jobs, attachments) by
# hand: an unquoted name, which RFC 6266 allows, becomes an empty one; of a name with an
# apostrophe only the end is left; a parameter behind the name becomes the name; escapes of
# `filename*` stay. Without the header the download fails with a KeyError. A server that stands in
# for Zoho in tests must send the header in the form of the first line.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" zohocrmsdk8_0==7.0.0 requests==2.32.5
python - <<'PYTHON'
import json
from pathlib import Path

import requests
import zohocrmsdk
from zohocrmsdk.src.com.zoho.crm.api import Initializer
from zohocrmsdk.src.com.zoho.crm.api.util.downloader import Downloader

SEEN = {
    'attachment; filename="result.zip"': "result.zip",
    "attachment; filename=result.zip": "",
    'attachment; filename="O\'Hara.zip"': 'Hara.zip"',
    'attachment; filename="result.zip"; size=10': "10",
    "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.zip": "r%C3%A9sum%C3%A9.zip",
    "": "KeyError",
}

(details,) = Path(zohocrmsdk.__file__).parent.rglob("json_details.json")
Initializer.json_details = json.loads(details.read_text())


def name_of(header: str) -> str:
    answer = requests.Response()
    answer.headers.update({"Content-Disposition": header} if header else {})
    body = "zohocrmsdk.src.com.zoho.crm.api.bulk_read.FileBodyWrapper"
    try:
        return Downloader(None).get_response(answer, body).get_file().get_name()
    except KeyError:
        return "KeyError"


found = {header: name_of(header) for header in SEEN}
for header, name in found.items():
    print(f"{header or '(no header)':52} -> {name!r}")
assert found == SEEN, found
PYTHON
