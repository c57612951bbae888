"""`python -m tests.bigin_twin`: run the twin until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from tests.bigin_twin.deliveries import Routes
from tests.bigin_twin.model import Bigin
from tests.bigin_twin.server_state import Server
from tests.bigin_twin.serving import Address, serving
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.tokens import Client


def main(arguments: list[str]) -> None:
    """Serve, and print one line of JSON with the URL when calls are answered."""
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = Server(lambda: _new_bigin(options), time.time)
    routes = Routes(dict(options.rewrite), options.api_gateway, options.ca_bundle)
    address = Address(options.host, options.port, options.certificate, options.key)
    with serving(server, routes, address) as running:
        with server.bigin() as bigin:
            public = {"public_url": options.public_url or running.url}
            bigin.settings = bigin.settings.changed(public)
        sys.stdout.write(json.dumps({"url": running.url, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        stopped.wait()


def _new_bigin(options: argparse.Namespace) -> Bigin:
    rng = random.SystemRandom() if options.seed is None else random.Random(options.seed)
    client = Client(options.client_id, options.client_secret, options.refresh_token)
    return Bigin(rng, settings=Settings.model_validate(dict(options.setting)), client=client)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bigin_twin", description=__doc__)
    known = Client()
    add = parser.add_argument
    add("--host", default="127.0.0.1", type=_loopback, help="a loopback address")
    add("--port", default=0, type=int, help="0: any that is free")
    add("--certificate", type=Path, help="PEM file; serve TLS")
    add("--key", type=Path, help="PEM file with the certificate's key")
    add("--public-url", help="base of api_domain and download URLs, if not the address itself")
    add("--setting", action="append", default=[], type=_setting, metavar="NAME=JSON")
    add("--seed", type=int, help="make tokens and shuffled results repeatable")
    add("--client-id", default=known.client_id)
    add("--client-secret", default=known.client_secret)
    add("--refresh-token", default=known.refresh_token)
    add("--rewrite", action="append", default=[], type=_pair, metavar="HOST=URL")
    add("--api-gateway", default=os.environ.get("BIGIN_TWIN_API_GATEWAY"), metavar="URL")
    add("--ca-bundle", default=os.environ.get("BIGIN_TWIN_CA_BUNDLE"), metavar="FILE")
    return parser


def _loopback(text: str) -> str:
    if not ip_address(text).is_loopback:
        raise argparse.ArgumentTypeError(f"{text} is not a loopback address")
    return text


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text} is not of the form NAME=VALUE")
    return name, value


def _setting(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; a value that is not JSON is taken as text."""
    name, value = _pair(text)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    main(sys.argv[1:])
