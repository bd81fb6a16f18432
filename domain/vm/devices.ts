/** How an assigned device comes to its VM; stock writes the word as it is. */
export const ASSIGNMENT_MODES = ['required', 'auto-attach', 'ask-to-attach'] as const;
export type AssignmentMode = (typeof ASSIGNMENT_MODES)[number];

/** Classes that stock and its packages bring (qubes-core-admin: pci and block; others: usb and mic). */
export const DEVICE_CLASSES: ReadonlySet<string> = new Set(['pci', 'block', 'usb', 'mic']);

/**
 * A device that a VM gets by itself. `backend` is the VM that has it, null for any (written `*`); `id` is the port and
 * `identity` the device, `*` for any. Options keep the order of setting.
 */
export type Assignment = {
  readonly backend: string | null;
  readonly id: string;
  readonly mode: AssignmentMode;
  readonly identity: string;
  readonly options: readonly (readonly [name: string, value: string])[];
};

/** Assignments by device class. A class without any was touched once: stock then writes an empty element for it. */
export type Devices = Readonly<Record<string, readonly Assignment[]>>;

export type DeviceRef = Pick<Assignment, 'backend' | 'id' | 'identity'>;

/** Two assignments of a class are the same device when backend, port and identity are the same. */
export const sameDevice = (a: DeviceRef, b: DeviceRef): boolean =>
  a.backend === b.backend && a.id === b.id && a.identity === b.identity;

/** `sys-usb:2-1:0525:a4a5`, the way stock's tools name a device. */
export const wordsOfDevice = ({ backend, id, identity }: DeviceRef): string =>
  `${backend ?? '*'}:${id}${identity === '*' ? '' : `:${identity}`}`;

/** The devices after one was set: in its place if it was there, else behind the others of its class. */
export const withDevice = (devices: Devices, deviceClass: string, assignment: Assignment): Devices => {
  const known = devices[deviceClass] ?? [];
  const list = known.some((one) => sameDevice(one, assignment))
    ? known.map((one) => (sameDevice(one, assignment) ? assignment : one))
    : [...known, assignment];
  return { ...devices, [deviceClass]: list };
};

export const withoutDevice = (devices: Devices, deviceClass: string, device: DeviceRef): Devices => ({
  ...devices,
  [deviceClass]: (devices[deviceClass] ?? []).filter((one) => !sameDevice(one, device)),
});
