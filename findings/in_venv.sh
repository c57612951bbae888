# Sourced by the findings: `. in_venv.sh 'package==version' …` makes a temporary environment with
# these packages, changes into its folder and defines `python`.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --quiet --disable-pip-version-check "$@"
python() { environment/bin/python "$@"; }
