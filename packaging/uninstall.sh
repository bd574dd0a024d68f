#!/bin/sh
# Removes what install.sh has installed, as root, except /etc/headgate and the state directory. DESTDIR: the folder that install.sh
# was given.
set -eu
root="${DESTDIR:-}"

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "uninstall.sh removes files of /opt and /etc: start it with sudo." >&2
  exit 1
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now headgate.service headgate.socket || true
fi
share="$root/usr/local/share"
rm -f "$root/etc/systemd/system/headgate.service" "$root/etc/systemd/system/headgate.socket" "$root/usr/local/bin/headgate" \
  "$share/man/man1/headgate.1.gz" "$share/bash-completion/completions/headgate" "$share/zsh/site-functions/_headgate" \
  "$share/fish/vendor_completions.d/headgate.fish"
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
rm -rf "$root/opt/headgate"
echo "Headgate is removed. Its config stays in /etc/headgate, and the state of its service in /var/lib/private/headgate."
