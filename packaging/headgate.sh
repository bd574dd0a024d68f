#!/bin/sh
# Headgate with the Node.js that it was packed with. exec, so that signals reach it and its exit code is ours.
here="$(dirname "$(readlink -f "$0")")"
exec "$here/node" "$here/../app/dist/cli.js" "$@"
