# Sourced by the findings about MiniStack with the packages they need: starts it on a free port of
# the loopback interface, waits until it answers, and sets the variables that boto3 reads.
. "$(dirname "$0")/in_venv.sh" "$@"
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port environment/bin/ministack > ministack.log 2>&1 &
trap "kill $! 2>/dev/null || true; wait $! 2>/dev/null || true; rm -rf '$folder'" EXIT
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
python - "$port" <<'PYTHON'
import socket
import sys
import time

until = time.monotonic() + 60
while time.monotonic() < until:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(sys.argv[1]))) == 0:
            sys.exit()
    time.sleep(0.2)
sys.exit("MiniStack does not answer; see ministack.log")
PYTHON
