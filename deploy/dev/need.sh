#!/bin/sh
# need.sh NAME…: makes sure that each named tool is there, installing it where it is not:
# go cc postgresql redis chromium node pagetools stripemock. Touches nothing, and no network, when all are there.
set -eu
cd "$(dirname "$0")/../.."

say() { echo "$*" >&2; }
die() {
	say "$*"
	exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# install DEBIAN-PACKAGES BREW-FORMULA FEDORA-PACKAGES: each list may hold several words.
install() {
	# The lists are meant to fall apart into words.
	# shellcheck disable=SC2086
	if has apt-get; then
		as_root sh deploy/dev/apt.sh $1
	elif has brew; then
		[ "$(id -u)" != 0 ] || die "Homebrew refuses to run as root; run this command as your own user."
		brew install $2
	elif has dnf; then
		as_root dnf install -y $3
	else
		return 1
	fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif has sudo; then
		sudo "$@"
	else
		die "Installing needs root, and there is no sudo here. As root, run: $*"
	fi
}

major() { sed 's/^[^0-9]*\([0-9][0-9]*\).*/\1/'; }

# The same places that the program looks in.
new_postgresql() {
	for bin in "$(command -v postgres || true)" /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
		/opt/homebrew/opt/postgresql@*/bin/postgres /usr/local/opt/postgresql@*/bin/postgres \
		/opt/homebrew/bin/postgres /usr/local/bin/postgres "${OCOP_DATA:-.data}"/pg-bin/bin/postgres; do
		if [ -x "$bin" ] && [ "$("$bin" --version | major)" -ge 15 ]; then
			return 0
		fi
	done
	return 1
}

need_postgresql() {
	new_postgresql && return
	if has apt-get; then
		[ -n "$(apt-cache policy postgresql 2>/dev/null)" ] || as_root apt-get update -q
		offered=$(apt-cache policy postgresql | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')
		if [ "${offered:-0}" -lt 15 ]; then
			say "This system's packages offer PostgreSQL ${offered:-none}, and 15 is needed: the program will fetch its own."
			return
		fi
	fi
	say "Installing PostgreSQL"
	if ! install "postgresql postgresql-contrib" "postgresql@16" "postgresql-server postgresql-contrib" || ! new_postgresql; then
		say "PostgreSQL could not be installed here: the program will try to fetch its own."
	fi
}

need_go() {
	has go || die "Go 1.26 or newer is needed: https://go.dev/dl/"
}

# Outside macOS the race detector links with a C compiler.
need_cc() {
	if [ "$(uname)" = Darwin ] || has "$(go env CC)"; then return; fi
	say "Installing a C compiler (for the race detector)"
	install "gcc libc6-dev" "gcc" "gcc glibc-devel" || true
	has "$(go env CC)" || die "The race detector needs a C compiler; install gcc and run again."
}

need_redis() {
	if has redis-server || has valkey-server; then return; fi
	say "Installing Redis"
	install redis-server redis redis || true
	if ! has redis-server && ! has valkey-server; then
		die "The tests need redis-server; install it and run again."
	fi
}

has_chromium() {
	has chromium || has chromium-browser || has google-chrome || has google-chrome-stable ||
		[ -d "/Applications/Google Chrome.app" ] || [ -d "/Applications/Chromium.app" ]
}

need_chromium() {
	has_chromium && return
	say "Installing Chromium"
	if has brew && ! has apt-get; then
		brew install --cask google-chrome
	elif has apt-get && grep -q '^ID=ubuntu' /etc/os-release; then
		install chromium-browser "" "" || true
	else
		install chromium "" chromium || true
	fi
	has_chromium || die "The browser tests need Chromium or Google Chrome; install one (https://www.google.com/chrome/) and run again."
}

new_node() {
	has npm && has node &&
		node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 18 || (a == 18 && b >= 19) ? 0 : 1)'
}

# Node serves the page checkers of the tests alone; the program is built without it.
need_node() {
	new_node && return
	has node || {
		say "Installing Node.js (for the page checkers)"
		install "nodejs npm" node "nodejs npm" || true
	}
	has npm || {
		say "Installing npm"
		install npm node npm || true
	}
	new_node || die "The page checkers need Node.js 18.19 or newer with npm; install it (https://nodejs.org/) and run again."
}

# axe-core and html-validate, in .cache/tools, as deploy/testtools/package-lock.json pins them.
need_pagetools() {
	tools=.cache/tools
	if cmp -s deploy/testtools/package-lock.json $tools/installed.json; then return; fi
	say "Installing the page checkers into $tools"
	mkdir -p $tools
	cp deploy/testtools/package.json deploy/testtools/package-lock.json $tools/
	npm ci --prefix $tools --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	cp deploy/testtools/package-lock.json $tools/installed.json
}

# Stripe's own stand-in, which holds every request against their description of the API.
need_stripemock() {
	version=v0.203.0
	bin=$PWD/.cache/bin
	if [ -x "$bin/stripe-mock" ] && [ "$(cat "$bin/stripe-mock.version" 2>/dev/null)" = $version ]; then return; fi
	say "Installing stripe-mock into .cache/bin"
	mkdir -p "$bin"
	GOBIN=$bin go install github.com/stripe/stripe-mock@$version
	echo $version >"$bin/stripe-mock.version"
}

for name; do
	case $name in
	go | cc | postgresql | redis | chromium | node | pagetools | stripemock) "need_$name" ;;
	*) die "need.sh does not know $name" ;;
	esac
done
