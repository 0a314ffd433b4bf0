#!/bin/sh
# make run: installs what is missing, builds the program and becomes it, so that Ctrl-C reaches it alone.
set -eu
cd "$(dirname "$0")/../.."

sh deploy/dev/need.sh go
if [ -z "${DATABASE_URL:-}${DATABASE_URL_FILE:-}" ]; then
	sh deploy/dev/need.sh postgresql
fi
if [ -x bin/ocop ]; then
	echo "Building the program"
else
	echo "Building the program (the first time takes a minute or two)"
fi
CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/ocop ./cmd/ocop
exec bin/ocop dev
