#!/bin/sh
# Installs Headgate from its unpacked tarball, as root: the program to /opt/headgate, the command to /usr/local/bin, its man page and
# completions to /usr/local/share, the unit to /etc/systemd/system, and a config to /etc/headgate, where nothing that is there is
# changed. DESTDIR puts all that into a folder.
set -eu
root="${DESTDIR:-}"
here="$(dirname "$(readlink -f "$0")")"
# The user of the service has to read all this, whatever the umask of the one who unpacks and installs it.
umask 022

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "install.sh writes to /opt and /etc: start it with sudo." >&2
  exit 1
fi
# Before anything is changed: on a system that is too old, the program does not start.
if ! "$here/bin/headgate" --version >/dev/null; then
  echo "This Headgate does not run here: it needs Linux on @PROCESSOR@ with glibc @LIBC@ or later, libstdc++ and libatomic." >&2
  exit 1
fi

# Beside the old one, and then in its place, so that an interrupted installation leaves one of them whole.
install -d "$root/opt" "$root/usr/local/bin" "$root/etc/systemd/system"
rm -rf "$root/opt/headgate.new"
install -d "$root/opt/headgate.new"
cp -R "$here/bin" "$here/app" "$here/LICENSE" "$here/uninstall.sh" "$root/opt/headgate.new/"
chmod -R u=rwX,go=rX "$root/opt/headgate.new"
rm -rf "$root/opt/headgate.old"
if [ -d "$root/opt/headgate" ]; then mv "$root/opt/headgate" "$root/opt/headgate.old"; fi
mv "$root/opt/headgate.new" "$root/opt/headgate"
rm -rf "$root/opt/headgate.old"
ln -sf /opt/headgate/bin/headgate "$root/usr/local/bin/headgate"
install -m 644 "$here/systemd/headgate.service" "$here/systemd/headgate.socket" "$root/etc/systemd/system/"
(cd "$here/share" && find . -type f) | while read -r file; do
  install -D -m 644 "$here/share/$file" "$root/usr/local/share/$file"
done

install -d -m 755 "$root/etc/headgate" "$root/etc/headgate/schemas"
install -d -m 700 "$root/etc/headgate/credentials"
(cd "$here/config" && find . -type f) | while read -r file; do
  if [ -e "$root/etc/headgate/$file" ]; then continue; fi
  install -m 644 "$here/config/$file" "$root/etc/headgate/$file"
done

cat <<TEXT
Headgate is in /opt/headgate, its command is headgate, and "man headgate" explains it. Try it with "headgate demo".
"/opt/headgate/uninstall.sh" removes it. To run it as a service:
  1. Set the addresses in /etc/headgate/headgate.env, and the routes in /etc/headgate/plugins.config.json.
  2. Put WEBHOOK_TOKEN, CXONE_CLIENT_ID and CXONE_CLIENT_SECRET as files of those names into /etc/headgate/credentials.
  3. systemctl daemon-reload && systemctl enable --now headgate
TEXT
