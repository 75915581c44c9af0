#!/bin/sh
# Installs what the bench measures beside Postern: Debian's Postfix (the load comes from it too) and Dovecot,
# and two peers from npm in a folder outside the repository. Says what it cannot do, never fails.
packages="postfix dovecot-imapd openssl"
missing=
for package in $packages; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # No service may start on its own: the bench starts what it needs, on loopback, and ends it.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
      printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
      added=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
      echo "bench: could not install all of:$missing (their rows are skipped)"
    [ "${added:-}" = yes ] && rm -f /usr/sbin/policy-rc.d
  else
    echo "bench: not installed and not installable here:$missing (their rows are skipped)"
  fi
fi
peers=${BENCH_PEERS:-/var/tmp/postern-bench/npm}
if [ ! -d "$peers/node_modules/Haraka" ] || [ ! -d "$peers/node_modules/smtp-server" ]; then
  mkdir -p "$peers" && cd "$peers" || exit 0
  # Two packages that Haraka depends on are missing in some registries at their newest version.
  printf '%s\n' '{"private":true,"overrides":{"encoding-japanese":"2.2.0","libqp":"2.1.1"}}' > package.json
  npm install --no-audit --no-fund --ignore-scripts smtp-server@3.21.6 Haraka@3.3.4 >/dev/null 2>&1 ||
    echo "bench: npm could not install smtp-server and Haraka (they are skipped)"
fi
exit 0
