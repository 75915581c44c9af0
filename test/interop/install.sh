#!/bin/sh
# Installs the Debian programs that the interop tests talk to; says what it cannot do, never fails.
packages="swaks libnet-ssleay-perl curl openssl mutt s-nail isync fetchmail postfix dovecot-imapd python3 opendkim python3-dkim python3-nacl python3-authres strace pebble"
missing=
for package in $packages; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "interop: not installed and not installable here:$missing (their tests are skipped)"
  exit 0
fi
# No service may start on its own: the tests start what they need, on loopback, and end it.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
  added=yes
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null 2>&1
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
  echo "interop: could not install all of:$missing (what is missing is skipped)"
[ "${added:-}" = yes ] && rm -f /usr/sbin/policy-rc.d
exit 0
