#!/bin/bash
# The guest's second program: a small system around LVM without udev, then the one command it was booted for.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI=1 TMPDIR=/run/scratch
mount -t tmpfs run /run
mount -t tmpfs etc-lvm /etc/lvm
mkdir -p /run/lock/lvm /run/lvm /run/scratch /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
for n in 0 1 2; do ln -sfn /proc/self/fd/$n "/dev/$(echo stdin stdout stderr | cut -d' ' -f$((n + 1)))"; done
ip link set lo up 2>/dev/null
cat >/etc/lvm/lvm.conf <<'CONF'
devices {
  dir = "/dev"
  scan = [ "/dev" ]
  use_devicesfile = 0
  external_device_info_source = "none"
  obtain_device_list_from_udev = 0
  filter = [ "a|^/dev/vd.*|", "a|^/dev/mapper/fault.*|", "r|.*|" ]
}
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
global { use_lvmpolld = 0 }
CONF

port() { # NAME: the device of the virtio-serial port of that name; its number depends on the order of the devices
  local class
  for _ in {1..200}; do
    for class in /sys/class/virtio-ports/*; do
      [ "$(cat "$class/name" 2>/dev/null)" = "$1" ] && { echo "/dev/${class##*/}"; return; }
    done
    sleep 0.05
  done
}
word() { tr ' ' '\n' </proc/cmdline | sed -n "s/^domtrail\.$1=//p"; }

mapfile -d '' -t argv <"$(word argv)"
cd "$(word cwd)" || poweroff -f
if [ "$(word shell)" = 1 ]; then
  setsid -c "${argv[@]}" </dev/ttyS0 >/dev/ttyS0 2>&1
else
  echo begun >"$(port code)"
  "${argv[@]}" </dev/null >"$(port out)" 2>"$(port err)"
fi
code=$?
echo "$code" >"$(port code)"
poweroff -f
