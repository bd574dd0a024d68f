# Sourced by ./headgate and ./run-tests. `prepare run` or `prepare tests` installs and builds what this checkout lacks for it.

checkout="$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")"
# As old as the beginning of the last complete build. Its content is the node that the packages were checked with.
stamp="$checkout/.cache/ready"

node_on_path() { ls -Li "$(command -v node)"; }

# Without a start of Node.js, which takes longer than all of this.
is_ready() {
  cd "$checkout" || return 1
  [[ -f "$stamp" && "$(<"$stamp")" == "$(node_on_path)" ]] || return 1
  [[ -f dist/cli.js && -f node_modules/node-rdkafka/build/Release/node-librdkafka.node ]] || return 1
  # Of folders, too: the time of a folder tells of deleted files.
  [[ -z "$(find src console scripts package.json package-lock.json tsconfig.json node_modules/.package-lock.json -newer "$stamp" -print -quit 2>&1)" ]]
}

# Here, because an old Node.js cannot even load the setup.
is_too_old() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  ((${major:-0} < 20 || (${major:-0} == 20 && ${minor:-0} < 19)))
}

install_and_build() {
  cd "$checkout" || return 1
  rm -f "$stamp"
  node scripts/setup/setup.mjs "$1" || return
  echo "Building Headgate" >&2
  node_on_path >"$stamp.new"
  node scripts/bundle.mjs >&2 || return
  mv "$stamp.new" "$stamp"
}

prepare() {
  if ! command -v node >/dev/null; then
    echo "Node.js 20.19 or later is needed, and there is no node on the PATH. Get it from https://nodejs.org/en/download" >&2
    return 1
  fi
  # The stamp tells nothing of programs that only tests need. In subshells, so that the folder of the caller stays.
  if [[ "$1" == run ]] && (is_ready); then return; fi
  local version
  version="$(node --version)"
  if is_too_old "$version"; then
    echo "Node.js 20.19 or later is needed, and $(command -v node) is $version. Get it from https://nodejs.org/en/download" >&2
    return 1
  fi
  if ! mkdir -p "$checkout/.cache" 2>/dev/null || [[ ! -w "$checkout" || ! -w "$checkout/.cache" ]]; then
    echo "Headgate has to be built first, and $checkout cannot be written to. Copy it to a folder of yours, or start this once as a user who may write there." >&2
    return 1
  fi
  (
    # The kernel releases the lock when the last process of the installation has ended. macOS has no such command.
    if command -v flock >/dev/null && ! flock --nonblock 9; then
      echo "Another command installs Headgate in this checkout. Waiting for it." >&2
      flock 9
      if [[ "$1" == run ]] && (is_ready); then exit; fi
    fi
    install_and_build "$1"
  ) 9>"$checkout/.cache/setup.lock"
}
