#!/bin/bash
# fault-pool.sh make          the thin pool qubes_dom0/vm-pool of 64 MiB on a device-mapper device over the lab's disk
# fault-pool.sh fill|drain    somebody else's volume takes all of its data space, or is gone
# fault-pool.sh spoil         an error while the kernel writes the pool's metadata; the disk is well again afterwards
# fault-pool.sh fail          the disk is away while the kernel writes to the pool
# fault-pool.sh repair        what docs/failure-modes.md says about a pool that takes no writes
# fault-pool.sh break|mend    where the disk holds the pool's data it answers with errors, or no longer
# fault-pool.sh unplug|plug   the whole disk is away, or back
set -euo pipefail
tr ' ' '\n' </proc/cmdline | grep -qx 'domtrail\.lab=1' || { echo 'this is not the lab machine: no disk is touched' >&2; exit 1; }
disk=
for block in /sys/block/*; do
  [ "$(cat "$block/serial" 2>/dev/null)" = domtrail-lab ] && disk=/dev/${block##*/}
done
[ -n "$disk" ] || { echo 'no disk has the serial number domtrail-lab' >&2; exit 1; }
sectors=$(blockdev --getsz "$disk")

table() {
  dmsetup suspend --nolockfs --noflush fault
  dmsetup load fault <<<"$1"
  dmsetup resume fault
}
whole() { table "0 $sectors linear $disk 0"; }
gone() { table "0 $sectors error"; }
filler() {
  lvm lvs qubes_dom0/filler >/dev/null 2>&1 || lvm lvcreate -q --thin -V 64M -n filler qubes_dom0/vm-pool >/dev/null
}
write() { dd if=/dev/zero of=/dev/qubes_dom0/filler bs=64k count=1 oflag=direct,dsync seek="$1" status=none 2>/dev/null || true; }

case $1 in
  make)
    if ! dmsetup info fault >/dev/null 2>&1; then
      # The same physical volume must not be seen twice, through the disk and through the device over it.
      sed -i 's#filter = .*#filter = [ "a|^/dev/mapper/fault$|", "r|.*|" ]#' /etc/lvm/lvm.conf
      echo 2 >/sys/module/dm_thin_pool/parameters/no_space_timeout
      dmsetup create fault --table "0 $sectors linear $disk 0"
      dmsetup mknodes
      lvm pvcreate -q /dev/mapper/fault
      lvm vgcreate -q qubes_dom0 /dev/mapper/fault
      lvm lvcreate -q --thin --zero n --size 64M qubes_dom0/vm-pool
    fi ;;
  fill)
    filler
    dd if=/dev/zero of=/dev/qubes_dom0/filler bs=64k oflag=direct status=none 2>/dev/null || true ;;
  drain) lvm lvremove -q --force qubes_dom0/filler ;;
  spoil)
    filler
    write 0
    table "0 $sectors flakey $disk 0 0 3600 1 error_writes"
    write 1
    whole
    [[ $(dmsetup status qubes_dom0-vm--pool-tpool) == *needs_check* ]] ;;
  fail)
    filler
    write 0
    gone
    write 1
    whole
    [[ $(dmsetup status qubes_dom0-vm--pool-tpool) == *Fail* ]] ;;
  repair)
    lvm vgchange -q --activate=n qubes_dom0
    lvm vgchange -q --activate=y --config 'global { thin_check_options=["-q","--clear-needs-check-flag"] }' qubes_dom0
    if lvm lvs qubes_dom0/filler >/dev/null 2>&1; then lvm lvremove -q --force qubes_dom0/filler; fi ;;
  break)
    read -r _ length _ _ start < <(dmsetup table qubes_dom0-vm--pool_tdata)
    end=$((start + length))
    table "0 $start linear $disk 0
$start $length error
$end $((sectors - end)) linear $disk $end" ;;
  mend | plug) whole ;;
  unplug)
    sleep 1.5 # until the pool has written what it still had to
    gone ;;
esac
