#!/usr/bin/env bash
# tests/cuda/pack.sh [FOLDER]    default: .pack in the top folder of the tree
# Packs what tests/cuda/on_a_card.sh needs on a machine with a card, a driver, and Python with PyTorch, whose wheels hold
# cuBLAS and cuDNN: the built program and plugins, libraries that they need, MPI, jobs and data. At most 60 MiB, x86-64.
# The build is that of build/release, which this script brings up to date.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build/release
pack=${1:-$root/.pack}
data=${PLAIT_DATA:-/usr/share/datasets/fashion-mnist}
training_records=20000 test_records=4000
most_bytes=$((60 * 1024 * 1024))

targets=(plait plait_mpi)
plugins=(cpu auto cuda idx npy normalize crop flip mean accuracy cosine step)
for source in "$root"/plugins/{layers,losses,optimizers}/*/CMakeLists.txt; do
  plugins+=("$(basename "$(dirname "$source")")")
done
known=$(ninja -C "$build" -t targets all | sed -n 's/^\(plugin_[a-z0-9_]*\): phony$/\1/p')
for plugin in "${plugins[@]}"; do
  for target in "plugin_$plugin" "plugin_${plugin}_cuda"; do
    grep -qx "$target" <<<"$known" && targets+=("$target")
  done
done
[ -n "${PLAIT_PACK_BUILT:-}" ] || ninja -C "$build" -j "${JOBS:-2}" "${targets[@]}"
compgen -G "$build/lib/plait/plugins/*.cuda.plait.so" >/dev/null || { echo "pack.sh: the build has no kernels for CUDA" >&2; exit 1; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/{bin,lib/plait/plugins,deps,mpi,data,jobs}
cp "$build/bin/plait" "$stage/bin/"
cp "$build/lib/plait/plait_mpi.so" "$stage/lib/plait/"
for plugin in "${plugins[@]}"; do
  for file in "$build/lib/plait/plugins/$plugin".plait.so "$build/lib/plait/plugins/$plugin".cuda.plait.so; do
    [ ! -e "$file" ] || cp "$file" "$stage/lib/plait/plugins/"
  done
done

# Libraries beside those that every machine has, or that come with the card.
system='^(linux-vdso|ld-linux|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|libcu|libcudnn|libnv)'
needed() {
  ldd "$@" 2>/dev/null | awk '/=> \// { print $3 }' | sort -u
}
all=$(needed "$stage"/bin/plait "$stage"/lib/plait/*.so "$stage"/lib/plait/plugins/*.so)
for library in $all; do
  [[ $(basename "$library") =~ $system ]] || cp -L "$library" "$stage/deps/"
done
deps=$root/.deps
if [ -x "$deps/bin/mpirun" ]; then
  mkdir -p "$stage/mpi/bin" "$stage/mpi/lib"
  cp -L "$deps"/bin/{mpirun,mpiexec,prte,prted,prterun} "$stage/mpi/bin/"
  [ ! -e "$deps/bin/ompirun_wrapper" ] || cp -L "$deps/bin/ompirun_wrapper" "$stage/mpi/bin/"
  cp -rL "$deps/lib/openmpi" "$stage/mpi/lib/"
  mkdir -p "$stage/mpi/share"
  for folder in share/openmpi share/pmix share/prte etc; do [ ! -d "$deps/$folder" ] || cp -rL "$deps/$folder" "$stage/mpi/$folder"; done
  for library in $(needed "$deps"/bin/{mpirun,prte,prted} "$deps"/lib/libmpi.so.40); do
    [[ $(basename "$library") =~ $system ]] || cp -L "$library" "$stage/mpi/lib/"
  done
  cp -L "$deps"/lib/libmpi.so.40 "$stage/mpi/lib/"
fi
find "$stage" -name '*.so*' -type f -exec strip --strip-unneeded {} + 2>/dev/null || true
strip "$stage/bin/plait"

python3 - "$data" "$stage/data" $training_records $test_records <<'PY'
import gzip, struct, sys
source, to, training, test = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for kind, count in [("train", training), ("t10k", test)]:
    images = gzip.open(f"{source}/{kind}-images-idx3-ubyte.gz").read()
    labels = gzip.open(f"{source}/{kind}-labels-idx1-ubyte.gz").read()
    magic, n, height, width = struct.unpack(">IIII", images[:16])
    count = min(count, n)
    open(f"{to}/{kind}-images", "wb").write(struct.pack(">IIII", magic, count, height, width) + images[16:16 + count * height * width])
    open(f"{to}/{kind}-labels", "wb").write(struct.pack(">II", struct.unpack(">I", labels[:4])[0], count) + labels[8:8 + count])
PY
cp "$root"/tests/cuda/jobs/*.txtpb "$stage/jobs/"
cp "$root"/framework/cmake/mpi.env "$stage/mpi.env"
git -C "$root" rev-parse HEAD >"$stage/commit" 2>/dev/null || true

mkdir -p "$pack"
rm -f "$pack"/plait.tar.*
tar -C "$stage" -cf - . | xz -T2 -6 >"$pack/plait.tar.xz"
cp "$root"/tests/cuda/{on_a_card.sh,torch_peer.py,card_table.py} "$pack/"
bytes=$(du -sb "$pack" | cut -f1)
echo "pack.sh: $pack has $bytes bytes"
[ "$bytes" -le "$most_bytes" ] || { echo "pack.sh: $bytes bytes are more than $most_bytes" >&2; exit 1; }
