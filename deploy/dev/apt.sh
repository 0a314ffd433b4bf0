#!/bin/sh
# apt.sh PACKAGE…: installs Debian packages, as root, without starting a server that comes with
# them and without making a PostgreSQL cluster nobody asked for. Servers already there stay as they are.
set -eu
export DEBIAN_FRONTEND=noninteractive

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi

apt-get update -q

had_redis=no
if installed redis-server; then had_redis=yes; fi

case " $* " in
*" postgresql "*)
	if ! installed postgresql-common; then
		apt-get install -y -q --no-install-recommends postgresql-common
		conf=/etc/postgresql-common/createcluster.conf
		sed -i 's/^#* *create_main_cluster.*//' $conf
		echo 'create_main_cluster = false' >>$conf
	fi
	;;
esac

# --no-upgrade: what is there already, and maybe running, is left alone.
apt-get install -y -q --no-install-recommends --no-upgrade "$@"

# A Redis installed for the tests need not start with the machine.
if [ $had_redis = no ] && installed redis-server && command -v systemctl >/dev/null; then
	systemctl disable redis-server >/dev/null 2>&1 || true
fi
