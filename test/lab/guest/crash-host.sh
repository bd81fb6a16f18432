#!/bin/bash
# The host of the crash tests: one disk, of which the first partition is the host's own file system (the ledger and
# LVM's backups live there) and the second the thin pool, so that a crash or a power cut hits both.
#   crash-host.sh make   writes both onto an empty disk      crash-host.sh up   brings them up, as booting does
#   crash-host.sh down   takes them down, so that other content may be put behind the disk
set -uo pipefail
disk=$("$(dirname "$0")/lab-disk.sh") || exit 1
mounted() {
  mkdir -p /run/host
  # An error of the file system must stop the test, not be lived with.
  mount -o barrier=1,errors=panic "${disk}1" /run/host || exit 92
  mkdir -p /run/host/lvm/backup /run/host/lvm/archive /etc/lvm/backup /etc/lvm/archive
  mount -o bind /run/host/lvm/backup /etc/lvm/backup
  mount -o bind /run/host/lvm/archive /etc/lvm/archive
}
case $1 in
make)
  mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "${disk}1" || exit 91
  mounted
  lvm pvcreate -q "${disk}2" && lvm vgcreate -q qubes_dom0 "${disk}2" &&
    lvm lvcreate -q --thin --zero n --size 400M qubes_dom0/vm-pool || exit 91
  ;;
up)
  # What LVM says here is evidence, not a verdict: after a crash it may complain about single LVs.
  lvm vgchange -q -ay qubes_dom0 >/run/activation 2>&1
  echo "vgchange $?: $(tr -s ' \n' ' ' </run/activation)"
  mounted
  ;;
down)
  umount /etc/lvm/backup /etc/lvm/archive /run/host || exit 93
  # As in a crash LVM is not asked, which would take three seconds; and as after a boot /dev knows of no volume.
  dmsetup remove_all || exit 94
  left=$(ls /dev/mapper | grep -v '^control$') && { echo "still there: $left" >&2; exit 94; }
  rm -rf /dev/qubes_dom0
  blockdev --flushbufs "${disk}1" "${disk}2" "$disk"
  ;;
esac
