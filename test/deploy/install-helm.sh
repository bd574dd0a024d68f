#!/usr/bin/env bash
# Builds the Helm that the chart is tested with, as .cache/bin/helm-VERSION, from the Go module proxy: Debian has no package of it.
# Go's checksum database vouches for the sources. Does nothing if it is there.
set -euo pipefail
version=v3.22.0
cd "$(dirname "$0")/../.."
helm="$PWD/.cache/bin/helm-$version"
if [[ -x $helm ]]; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "Building Helm $version, which takes some minutes and is kept in .cache"
GOBIN=$folder go install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$version"
mkdir -p "${helm%/*}"
# Only a whole program gets the name.
mv "$folder/helm" "$helm"
