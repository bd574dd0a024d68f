#!/usr/bin/env bash
# Builds the Helm that the chart is tested with, as .cache/bin/helm-VERSION, from the Go module proxy: Debian has no package of it.
# Go's checksum database vouches for the sources. Does nothing if it is there.
set -euo pipefail
version=v3.22.0
go_version=1.26.8
cd "$(dirname "$0")/../.."
helm="$PWD/.cache/bin/helm-$version"
if [[ -x $helm ]]; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Debian's Go is older than Helm asks for, and before 1.21 a Go does not fetch a newer one by itself. The module proxy has
# them as modules, whose files come without the right to be executed.
go=go
have=$(go env GOVERSION)
if [[ $(printf '%s\n' "$go_version" "${have#go}" | sort --version-sort | head -n 1) != "$go_version" ]]; then
  echo "Helm needs Go $go_version, and this machine has ${have#go}: fetching it"
  module="golang.org/toolchain@v0.0.1-go$go_version.$(go env GOOS)-$(go env GOARCH)"
  (cd "$folder" && go mod download "$module")
  cp -r "$(go env GOMODCACHE)/$module" "$folder/go"
  chmod -R u+rwX "$folder/go"
  chmod u+x "$folder"/go/bin/* "$folder"/go/pkg/tool/*/*
  go="$folder/go/bin/go"
fi

echo "Building Helm $version, which takes some minutes and is kept in .cache"
GOTOOLCHAIN=local GOBIN=$folder "$go" install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$version"
mkdir -p "${helm%/*}"
# Only a whole program gets the name.
mv "$folder/helm" "$helm"
