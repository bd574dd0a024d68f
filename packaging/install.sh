#!/bin/sh
# Installs Headgate from its unpacked tarball, as root: the program to /opt/headgate, the command to /usr/local/bin, the unit to
# /etc/systemd/system, and a config to /etc/headgate, where nothing that is there is changed. DESTDIR puts all that into a folder.
set -eu
root="${DESTDIR:-}"
here="$(dirname "$(readlink -f "$0")")"

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "install.sh writes to /opt and /etc: start it with sudo." >&2
  exit 1
fi
# Before anything is changed: on a system that is too old, the program does not start.
if ! "$here/bin/headgate" --version >/dev/null; then
  echo "This Headgate does not run here: it needs Linux on x64 with glibc 2.36 or later, libstdc++ and libatomic." >&2
  exit 1
fi

# Beside the old one, and then in its place, so that an interrupted installation leaves one of them whole.
install -d "$root/opt" "$root/usr/local/bin" "$root/etc/systemd/system"
rm -rf "$root/opt/headgate.new"
install -d "$root/opt/headgate.new"
cp -R "$here/bin" "$here/app" "$here/LICENSE" "$root/opt/headgate.new/"
rm -rf "$root/opt/headgate.old"
if [ -d "$root/opt/headgate" ]; then mv "$root/opt/headgate" "$root/opt/headgate.old"; fi
mv "$root/opt/headgate.new" "$root/opt/headgate"
rm -rf "$root/opt/headgate.old"
ln -sf /opt/headgate/bin/headgate "$root/usr/local/bin/headgate"
cp "$here/systemd/headgate.service" "$here/systemd/headgate.socket" "$root/etc/systemd/system/"

install -d -m 755 "$root/etc/headgate" "$root/etc/headgate/schemas"
install -d -m 700 "$root/etc/headgate/credentials"
(cd "$here/config" && find . -type f) | while read -r file; do
  if [ -e "$root/etc/headgate/$file" ]; then continue; fi
  cp "$here/config/$file" "$root/etc/headgate/$file"
done

cat <<TEXT
Headgate is in /opt/headgate, its command is headgate. Try it with "headgate demo". To run it as a service:
  1. Set the addresses in /etc/headgate/headgate.env, and the routes in /etc/headgate/plugins.config.json.
  2. Put WEBHOOK_TOKEN, CXONE_CLIENT_ID and CXONE_CLIENT_SECRET as files of those names into /etc/headgate/credentials.
  3. systemctl daemon-reload && systemctl enable --now headgate
TEXT
