#!/bin/sh
# Prepares the lab's servers outside the tree: one small Debian, and for each server an overlay over it.
# Nothing is installed or started on this machine but debootstrap and nmap; says plainly what it could not do.
set -u
cache=${POSTERN_LAB:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/postern-lab}
# Where this machine has its own packages from.
own=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^#' | grep -o 'https\{0,1\}://[^ ]*/debian/\{0,1\}\( \|$\)' | head -n 1)
mirror=${POSTERN_LAB_MIRROR:-$(printf %s "$own" | sed 's#/debian/* *$##')}
[ -n "$mirror" ] || { echo "lab: no Debian mirror in apt's sources; POSTERN_LAB_MIRROR names one"; exit 1; }
servers="${*:-postfix exim opensmtpd sendmail dovecot courier cyrus aiosmtpd}"
[ "$(id -u)" = 0 ] || { echo "lab: needs root"; exit 1; }
command -v apt-get >/dev/null 2>&1 || { echo "lab: needs Debian's apt-get"; exit 1; }
export DEBIAN_FRONTEND=noninteractive

missing=
for program in debootstrap nmap unshare ip; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
if [ -n "$missing" ]; then
  apt-get update -qq >/dev/null 2>&1
  apt-get install -y -qq --no-install-recommends debootstrap nmap util-linux iproute2 >/dev/null 2>&1 ||
    echo "lab: could not install all of:$missing"
fi

mkdir -p "$cache/layers" "$cache/archives"
base=$cache/base
if [ ! -e "$base.ready" ]; then
  rm -rf "$base"
  debootstrap --variant=minbase bookworm "$base" "$mirror/debian" >"$cache/base.log" 2>&1 ||
    { echo "lab: debootstrap failed, see $cache/base.log"; exit 1; }
  cat >"$base/etc/apt/sources.list" <<LIST
deb $mirror/debian bookworm main
deb $mirror/debian bookworm-updates main
deb $mirror/debian-security bookworm-security main
LIST
  printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
  chmod +x "$base/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$base/etc/resolv.conf"
  [ -d /etc/apt/apt.conf.d ] && cp /etc/apt/apt.conf.d/*proxy* "$base/etc/apt/apt.conf.d/" 2>/dev/null
  chroot "$base" apt-get update -qq >>"$cache/base.log" 2>&1 ||
    { echo "lab: no package lists, see $cache/base.log"; exit 1; }
  chroot "$base" apt-get install -y -qq --no-install-recommends ca-certificates openssl \
    >>"$cache/base.log" 2>&1 || { echo "lab: see $cache/base.log"; exit 1; }
  touch "$base.ready"
fi

packages_of() {
  case $1 in
    postfix) echo postfix postgrey libsasl2-modules sasl2-bin ;;
    exim) echo exim4-daemon-heavy ;;
    opensmtpd) echo opensmtpd ;;
    sendmail) echo sendmail-bin sendmail-cf m4 ;;
    dovecot) echo dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-submissiond dovecot-managesieved dovecot-sieve ;;
    courier) echo courier-mta courier-imap courier-pop ;;
    aiosmtpd) echo python3-aiosmtpd ;;
    cyrus) echo cyrus-imapd cyrus-pop3d sasl2-bin libsasl2-modules ;;
  esac
}

status=0
for server in $servers; do
  layer=$cache/layers/$server
  [ -e "$layer.ready" ] && continue
  packages=$(packages_of "$server")
  [ -n "$packages" ] || { echo "lab: no server called $server"; status=1; continue; }
  rm -rf "$layer" "$layer.work" "$layer.root"
  mkdir -p "$layer" "$layer.work" "$layer.root"
  # A mount namespace of its own: whatever happens, no mount is left behind.
  if unshare -m sh -c "
    mount -t overlay overlay -o lowerdir='$base',upperdir='$layer',workdir='$layer.work' '$layer.root' &&
    mount --bind '$cache/archives' '$layer.root/var/cache/apt/archives' &&
    mount -t proc proc '$layer.root/proc' &&
    chroot '$layer.root' env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends $packages" >"$layer.log" 2>&1; then
    touch "$layer.ready"
    echo "lab: $server is prepared"
  else
    echo "lab: could not install $server ($packages), see $layer.log"
    status=1
  fi
  rm -rf "$layer.work" "$layer.root"
done
exit $status
