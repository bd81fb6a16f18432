#!/bin/bash
# lab.sh COMMAND...   runs a command in the lab machine, in this checkout, and hands back its output and exit code
# lab.sh --shell      a shell there
#   LAB_MEMORY (MiB, 1024)  LAB_SECONDS (longest run, 600)  LAB_DISK (raw image to keep; else 2 GiB that are forgotten)
# Exit code 125: the lab itself failed, 124: the time was up. All writes of the guest, the checkout's too, stay in its memory.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
CHECKOUT=$(cd "$HERE/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/domtrail-lab
MEMORY=${LAB_MEMORY:-1024}
SECONDS_MOST=${LAB_SECONDS:-600}
# About one boot in two hundred hangs before the command begins: after so long it is begun again, so many times in all.
BOOT_SECONDS=120
BOOTS=3
VIRTIOFSD=/usr/lib/qemu/virtiofsd

fail() { echo "lab: $1" >&2; exit 125; }
for file in "$CACHE/vmlinux" "$CACHE/initrd.cpio" "$VIRTIOFSD"; do
  [ -e "$file" ] || fail "$file is missing; next: npm run lab:setup"
done
command -v qemu-system-x86_64 >/dev/null || fail 'QEMU is missing; next: npm run lab:setup'
[ $# -gt 0 ] || fail 'what shall be run? npm run lab -- COMMAND'

shell=0
[ "$1" = --shell ] && { shell=1; SECONDS_MOST=${LAB_SECONDS:-86400}; set -- /bin/bash -i; }

work=$(mktemp -d)
trap 'kill "${machine:-}" "${server:-}" 2>/dev/null; rm -rf "$work"' EXIT
printf '%s\0' "$@" >"$work/argv"
disk=${LAB_DISK:-$work/disk.img}
[ -e "$disk" ] || truncate -s 2G "$disk"
serve() { # the host's files; ends with the machine that they are for
  rm -f "$work/fs"
  "$VIRTIOFSD" --socket-path="$work/fs" -o source=/ -o cache=always -o sandbox=chroot -o no_posix_lock \
    --thread-pool-size=1 >"$work/fs.log" 2>&1 &
  server=$!
  for _ in {1..250}; do [ -S "$work/fs" ] && return; sleep 0.02; done
  fail "virtiofsd did not start: $(tail -1 "$work/fs.log")"
}

# Without this the guest measures its clock against timers that microvm does not have, and sometimes spins for ever.
khz=$(awk -F: '/cpu MHz/ { printf "%d", $2 * 1000; exit }' /proc/cpuinfo)
# The guest's clock counts its instructions: what it measures of itself is then the same on a busy host.
counted=()
[ "${LAB_COUNTED:-0}" = 1 ] && { counted=(-icount shift=0,sleep=off); khz=1000000; }
append="console=ttyS0 quiet panic=-1 nokaslr mitigations=off ${khz:+tsc_early_khz=$khz} domtrail.lab=1"
append+=" domtrail.start=$HERE/guest/start.sh domtrail.argv=$work/argv domtrail.cwd=$CHECKOUT domtrail.shell=$shell"
ports=(-device virtio-serial-pci -chardev "file,id=code,path=$work/code" -device virtserialport,chardev=code,name=code)
if [ $shell = 1 ]; then
  serial=(-chardev stdio,id=tty,signal=off -serial chardev:tty)
  [ -t 0 ] && { saved=$(stty -g); stty raw -echo; trap 'stty "$saved"; kill "$server" 2>/dev/null; rm -rf "$work"' EXIT; }
else
  serial=(-serial "file:$work/console")
  # Through pipes: QEMU would open a file that our output goes to anew, and write over what others put there.
  mkfifo "$work/out" "$work/err"
  exec 8<>"$work/out" 9<>"$work/err"
  cat <"$work/out" 8>&- 9>&- &
  readers=($!)
  cat <"$work/err" >&2 8>&- 9>&- &
  readers+=($!)
  ports+=(-chardev "file,id=out,path=$work/out" -device virtserialport,chardev=out,name=out
    -chardev "file,id=err,path=$work/err" -device virtserialport,chardev=err,name=err)
  exec </dev/null
fi
qemu=(timeout --foreground -k 2 "$SECONDS_MOST" qemu-system-x86_64 -M microvm,accel=tcg,pcie=on -cpu max -m "$MEMORY"
  -object "memory-backend-memfd,id=m,size=${MEMORY}M,share=on" -numa node,memdev=m
  -kernel "$CACHE/vmlinux" -initrd "$CACHE/initrd.cpio" -append "$append"
  -nodefaults -no-user-config -display none -no-reboot "${counted[@]}" "${serial[@]}"
  -chardev "socket,id=fs,path=$work/fs" -device vhost-user-fs-pci,chardev=fs,tag=root
  -drive "if=none,id=pool,file=$disk,format=raw,cache=writeback,discard=unmap"
  -device virtio-blk-pci,drive=pool,serial=domtrail-lab "${ports[@]}")
# Whether the machine has begun its command, once that is known.
begun() {
  for ((left = BOOT_SECONDS * 5; left > 0; left--)); do
    [ -s "$work/code" ] && return
    kill -0 "$machine" 2>/dev/null || return 0
    sleep 0.2
  done
  return 1
}
ended=1
if [ $shell = 1 ]; then
  serve
  "${qemu[@]}" 2>"$work/qemu"
  ended=$?
else
  for ((boot = 1; boot <= BOOTS; boot++)); do
    serve
    "${qemu[@]}" 2>"$work/qemu" &
    machine=$!
    if begun; then
      wait "$machine"
      ended=$?
      break
    fi
    kill "$machine" "$server" 2>/dev/null
    wait "$machine" "$server" 2>/dev/null
    echo "lab: the machine had not begun after $BOOT_SECONDS s" >&2
  done
  machine=
fi
[ $shell = 1 ] || { exec 8>&- 9>&-; wait "${readers[@]}"; }
code=$(tail -n 1 "$work/code" 2>/dev/null)
[ -n "$code" ] && [ "$code" != begun ] && exit "$code"
[ $ended = 124 ] && { echo "lab: stopped after $SECONDS_MOST s" >&2; exit 124; }
cat "$work/qemu" "$work/console" 2>/dev/null | tail -20 >&2
fail 'the guest ended without an exit code'
