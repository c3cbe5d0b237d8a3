#!/bin/sh
# Compiles the native kernels of compute-cpu: every file of common/ once, every file of variants/ once for each of the instruction sets that its line
# "VARIANTS:" names, all into one shared library for the compiler's operating system and architecture.
#
#   build.sh OUTPUT-DIRECTORY [WORK-DIRECTORY]
#
# CC names the compiler (default: cc); CFLAGS_EXTRA is added to its flags. The library is written to OUTPUT-DIRECTORY/OS-ARCHITECTURE/. Without a
# compiler nothing is built, which is said and is no failure: the plugin then computes with the Vector API.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
work=${2:-$1/work}
CC=${CC:-cc}

if ! command -v "$CC" >/dev/null 2>&1; then
    echo "compute-cpu: no C compiler ($CC) here, so no native kernels; the plugin will compute with the Vector API."
    echo "compute-cpu: install gcc (12 or later) or set CC, and build again to have them."
    exit 0
fi

machine=$("$CC" -dumpmachine)
case $machine in
    x86_64-*linux*) platform=linux-x86_64 ;;
    aarch64-*linux*) platform=linux-aarch64 ;;
    *)
        echo "compute-cpu: no native kernels for $machine; the plugin will compute with the Vector API there."
        exit 0
        ;;
esac

# No contraction of a * b + c into one operation and no reordering: bits must not depend on the compiler.
base="-std=gnu11 -O3 -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -fno-strict-aliasing -Wall -Wextra -Wno-maybe-uninitialized -Wno-psabi -I$here ${CFLAGS_EXTRA:-}"
vnni="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx2 -mfma -mf16c -mprefer-vector-width=512"

flags() {
    case $1 in
        common) if [ $platform = linux-x86_64 ]; then echo "-march=x86-64"; fi ;;
        avx2) echo "-mavx2 -mfma -mf16c" ;;
        avx512vnni) echo "$vnni" ;;
        avx512bf16) echo "$vnni -mavx512bf16" ;;
        amx) echo "$vnni -mavx512bf16 -mamx-tile -mamx-int8 -mamx-bf16" ;;
        neon) echo "-march=armv8.2-a" ;;
        dotprod) echo "-march=armv8.2-a+dotprod" ;;
    esac
}

case $platform in
    linux-x86_64) variants="avx2 avx512vnni avx512bf16 amx" ;;
    linux-aarch64) variants="neon dotprod" ;;
esac

rm -rf "$work/objects"
mkdir -p "$work/objects" "$out/$platform"
built=
jobs=
for variant in $variants; do
    # shellcheck disable=SC2046,SC2086
    if ! "$CC" $(flags "$variant") -fsyntax-only -x c /dev/null 2>/dev/null; then
        echo "compute-cpu: $CC does not know the instructions of $variant, which is left out"
        continue
    fi
    built="$built $variant"
    for source in "$here"/variants/*.c; do
        if ! sed -n 's/^.*VARIANTS: *//p' "$source" | grep -qw "$variant"; then
            continue
        fi
        # shellcheck disable=SC2046,SC2086
        "$CC" $base $(flags "$variant") -DVARIANT="$variant" -DVARIANT_"$variant" -c "$source" \
            -o "$work/objects/$(basename "$source" .c)_$variant.o" &
        jobs="$jobs $!"
    done
done
for source in "$here"/common/*.c; do
    # shellcheck disable=SC2046,SC2086
    "$CC" $base $(flags common) -DVARIANTS="\"$built\"" -c "$source" -o "$work/objects/$(basename "$source" .c).o" &
    jobs="$jobs $!"
done
for job in $jobs; do
    wait "$job"
done
"$CC" -shared -o "$work/libmaniple_cpu.so" "$work"/objects/*.o -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--no-undefined -lm
strip -s "$work/libmaniple_cpu.so" 2>/dev/null || true
mv "$work/libmaniple_cpu.so" "$out/$platform/libmaniple_cpu.so"
echo "compute-cpu: native kernels for $platform:$built"
