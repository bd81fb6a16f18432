#!/bin/bash
# Prints the lab's own disk, or fails: nothing in the lab writes to a block device without asking here first. On many
# hosts the first virtio disk holds the root file system, so the kernel must have been started by the lab, and the disk
# is known by its serial number.
set -euo pipefail
tr ' ' '\n' </proc/cmdline | grep -qx 'domtrail\.lab=1' || { echo 'this is not the lab machine: no disk is touched' >&2; exit 1; }
for block in /sys/block/*; do
  [ "$(cat "$block/serial" 2>/dev/null)" = domtrail-lab ] && { echo "/dev/${block##*/}"; exit; }
done
echo 'no disk has the serial number domtrail-lab' >&2
exit 1
