#!/bin/bash
# Brings what the lab needs: QEMU and LVM as Debian packages, and a kernel that is only unpacked, never installed.
# Built files lie in ${XDG_CACHE_HOME:-~/.cache}/domtrail-lab; run it again to repair or renew them.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/domtrail-lab
PACKAGES=(qemu-system-x86 qemu-system-common lvm2 thin-provisioning-tools dmsetup busybox-static cpio kmod lz4 binutils
  strace)
MODULES=(virtio_pci virtio_blk virtio_console virtiofs overlay crc32c-intel libcrc32c dm-thin-pool dm-snapshot dm-flakey
  dm-delay dm-log-writes)

missing=()
for package in "${PACKAGES[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok' || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "lab: installing ${missing[*]}" >&2
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
fi

mkdir -p "$CACHE"
cd "$CACHE"
if ! compgen -G 'kernel/lib/modules/*' >/dev/null; then
  apt-get update -q >/dev/null
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
  echo "lab: unpacking $package" >&2
  rm -rf download unpacked
  mkdir download unpacked
  # apt drops its rights before it writes, and a cache below /root is closed to it.
  (cd download && apt-get download -q -o APT::Sandbox::User=root "$package" >/dev/null)
  dpkg -x download/*.deb unpacked
  rm -rf download kernel
  mv unpacked kernel
fi
modules=$(echo kernel/lib/modules/*)
version=${modules##*/}
# A package makes this list only when it is installed.
[ -f "$modules/modules.dep" ] || depmod -b "$CACHE/kernel" "$version"

# The payload is an lz4 frame of the old format. Started as the ELF file in it, the kernel boots without a BIOS.
if [ ! -s vmlinux ]; then
  image=kernel/boot/vmlinuz-$version
  offset=$(LC_ALL=C grep -obUaP '\x02\x21\x4c\x18' "$image" | awk -F: 'NR == 1 { print $1 }')
  [ -n "$offset" ] || { echo "lab: no lz4 payload in $image" >&2; exit 1; }
  # lz4 complains about what follows the frame, after all of it is written.
  tail -c +$((offset + 1)) "$image" | lz4 -dqc >vmlinux.new 2>/dev/null || true
  [ "$(head -c 4 vmlinux.new | tail -c 3)" = ELF ] || { echo "lab: $image holds no kernel" >&2; exit 1; }
  mv vmlinux.new vmlinux
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,upper,root}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh mount insmod switch_root mkdir poweroff cat echo; do ln -s busybox "$root/bin/$applet"; done
for module in "${MODULES[@]}"; do
  line=$(grep -m1 "/$module\.ko:" "$modules/modules.dep") || continue
  read -ra needed <<<"${line#*:}"
  for ((i = ${#needed[@]} - 1; i >= 0; i--)); do echo "${needed[i]}"; done
  echo "${line%%:*}"
done | awk '!seen[$0]++' >"$root/order"
while read -r file; do
  strip -g -o "$root/modules/${file##*/}" "$modules/$file"
  echo "${file##*/}"
done <"$root/order" >"$root/modules/list"
rm "$root/order"
install -m 755 "$HERE/guest/init" "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) >initrd.new
mv initrd.new initrd.cpio
echo "lab: ready, kernel $version in $CACHE" >&2
