#!/usr/bin/env bash
# The set-up on machines that are made of scripts: what it asks of apt and of sudo, and what it says when nobody may install.
# Nothing real is installed: dpkg-query, id, sudo and apt-get are stand-ins that note their words.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/tree/framework/cmake"
cp "$PLAIT_SOURCE_DIR"/framework/cmake/{setup.sh,mpi.env} "$work/tree/framework/cmake/"
setup=$work/tree/framework/cmake/setup.sh
failures=0

stand_in() { printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1" && chmod +x "$work/bin/$1"; }
run_setup() { PATH=$work/bin:/usr/bin:/bin bash "$setup" </dev/null >"$work/out" 2>&1; }
wanted() { # wanted <what> <condition...>
  local what=$1
  shift
  "$@" || { echo "FAILED: $what"; sed 's/^/  | /' "$work/out"; failures=$((failures + 1)); }
}
says() { grep -qF -- "$1" "$work/out"; }
asked() { grep -qF -- "$1" "$work/asked" 2>/dev/null; }
nothing_asked() { [[ ! -s $work/asked ]]; }
status_is() { [[ $status -eq $1 ]]; }

# All packages are installed but ccache and zlib1g-dev.
stand_in dpkg-query 'for p in "${@:4}"; do case $p in ccache|zlib1g-dev) ;; *) echo "ii $p";; esac; done; exit 1'
stand_in apt-get 'echo "apt-get $*" >>"'"$work"'/asked"'
stand_in sudo '[[ $1 == -n ]] && exit 1; echo "sudo $*" >>"'"$work"'/asked"; "$@"'

stand_in id 'echo 1000'
run_setup; status=$?
wanted "without root or sudo: status 1" status_is 1
wanted "without root or sudo: the one command" \
  says "apt-get update && apt-get install -y --no-install-recommends ccache zlib1g-dev"
wanted "without root or sudo: apt is left alone" nothing_asked

# From here on .deps/ counts as made for these pins, so that only the system's packages are in play.
stamp_of_pins() {
  local pins
  mapfile -t pins < <(sed -n '/^pins=(/,/)/p' "$setup" | tr -d '()' | sed 's/^pins=//' | tr -s ' ' '\n' | grep .)
  printf '%s\n' "${pins[@]}" | sha256sum | cut -d ' ' -f 1
}
mkdir -p "$work/tree/.deps" && stamp_of_pins >"$work/tree/.deps/stamp"

stand_in id 'echo 0'
run_setup; status=$?
wanted "as root: status 0" status_is 0
wanted "as root: only what is missing" asked "install -q -y --no-install-recommends ccache zlib1g-dev"

rm -f "$work/asked"
stand_in sudo 'echo "sudo $*" >>"'"$work"'/asked"; [[ $1 == -n ]] && exit 0; "$@"'
stand_in id 'echo 1000'
run_setup; status=$?
wanted "through sudo: status 0" status_is 0
wanted "through sudo: apt is asked" asked "sudo apt-get update"

rm -f "$work/asked"
stand_in dpkg-query 'for p in "${@:4}"; do echo "ii $p"; done'
run_setup; status=$?
wanted "all there: status 0" status_is 0
wanted "all there: nobody is asked" nothing_asked
wanted "all there: nothing is said" [ ! -s "$work/out" ]

# A path with a space cannot be built in: one line, before anything is asked for or made.
mkdir -p "$work/a tree/framework/cmake"
cp "$work"/tree/framework/cmake/* "$work/a tree/framework/cmake/"
PATH=$work/bin:/usr/bin:/bin bash "$work/a tree/framework/cmake/setup.sh" >"$work/out" 2>&1; status=$?
wanted "a space in the path: status 1" status_is 1
wanted "a space in the path: what to do" says "move the tree to a path without one"
wanted "a space in the path: one line" [ "$(wc -l <"$work/out")" -eq 1 ]
wanted "a space in the path: nothing is made" [ ! -e "$work/a tree/.deps" ]
wanted "a space in the path: nobody is asked" nothing_asked

# env.sh, sourced twice from elsewhere: the program and its mpirun come first, once, before what was there.
env_path() { cd / && PATH=/other/bin:$work/tree/.deps/bin:/usr/bin && source "$1" && source "$1" && echo "$PATH"; }
path=$(env_path "$work/tree/.deps/env.sh")
expected=$work/tree/build/release/bin:$work/tree/.deps/bin:/other/bin:/usr/bin
echo "got $path, wanted $expected" >"$work/out"
wanted "env.sh: the two folders first, once" [ "$path" = "$expected" ]

echo "setup: $failures failed"
exit $((failures > 0))
