#!/bin/sh
# make test: installs what the tests need, then runs them all against servers of their own.
set -eu
cd "$(dirname "$0")/../.."

sh deploy/dev/need.sh go cc
# With no PostgreSQL new enough in the system's packages, the test servers fetch their own.
sh deploy/dev/need.sh postgresql redis chromium node
sh deploy/dev/need.sh pagetools stripemock

log=.cache/test.log
began=$(date +%s)
echo "Running all tests with the race detector; this takes some minutes"
{
	if go run ./internal/testkit/withservers \
		go test -race -p 2 -timeout 20m ./...; then
		echo 0 >.cache/test.status
	else
		echo 1 >.cache/test.status
	fi
} 2>&1 | tee "$log"

took=$(($(date +%s) - began))
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAIL[[:space:]].*/' "$log" || true)
echo
echo "$passed packages passed, $failed failed, in $((took / 60)) min $((took % 60)) s. Full output: $log"
if [ "$failed" -gt 0 ]; then
	grep '^--- FAIL\|^FAIL[[:space:]].*/' "$log"
fi
exit "$(cat .cache/test.status)"
