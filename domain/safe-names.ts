import type { Place } from './disk.ts';
import { type Failure, failure } from './failure.ts';
import type { Host } from './host/host.ts';
import { parseVmName, parseVolumeName } from './names.ts';
import { whyUnusable } from './pool/usable.ts';
import type { Deed, Plan, Step } from './steps.ts';

const placesOf = (deed: Deed): readonly Place[] => {
  switch (deed.do) {
    case 'move':
      return [deed.from, deed.to];
    case 'snapshot':
      return [deed.from, deed.at];
    case 'archive':
      return deed.vms.flatMap(({ volumes }) => volumes.map(({ at }) => at));
    case 'startDomain':
    case 'stopDomain':
    case 'deliver':
    // The path of firewall.xml is made of the VM's name, which is looked at for every step.
    case 'writeFirewall':
    case 'publishFirewall':
    case 'writeKeys':
      return [];
    default:
      return [deed.at];
  }
};

/** `VG/LV` or `appvms/VM/VOLUME`: parts that no tool could take for an option, a way up or more than a name. */
const safeVid = (vid: string): boolean => {
  const parts = vid.split('/');
  const plain = parts.every((part) => /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$/.test(part) && !/^\.+$/.test(part));
  return plain && parts.length > 1 && parts.length < 4;
};

/** Whatever somebody called a disk: it stays inside its pool, and nothing takes it for an option. */
const safeStray = (name: string): boolean =>
  name.length <= 1024 &&
  /^[^/\u0000-\u001f\u007f-]/.test(name) &&
  name.split('/').every((part) => !/^\.{0,2}$/.test(part));

const safeObject = (object: string): boolean => {
  const colon = object.lastIndexOf(':');
  const vm = colon < 0 ? object : object.slice(0, colon);
  return parseVmName(vm).ok && (colon < 0 || parseVolumeName(object.slice(colon + 1)).ok);
};

/** The refusal of a name that came by adoption and that no new VM would get. */
export const nameUnsafe = (object: string): Failure =>
  failure('D_NAME_UNSAFE', `${object} has a name from which no path and no LV name is built`, {
    next: 'rename it in stock qubesd (qvm-clone OLD NEW), then adopt again',
  });

/** The object's name, when it is one that `vm create` would refuse: those only come by adoption. */
const unsafe = (host: Host, { object, deed }: Step): Failure | null => {
  if (!safeObject(object)) {
    return nameUnsafe(object);
  }
  for (const { pool, vid, role } of placesOf(deed)) {
    const definition = host.pools.get(pool);
    const why = definition ? whyUnusable(definition) : null;
    if (why !== null) return failure('D_DRIVER_REFUSES', why);
    if (!safeVid(vid) || (role.kind === 'stray' && !safeStray(role.name)))
      return failure('D_NAME_UNSAFE', `${object} has an id from which no path and no LV name is built: ${vid}`);
  }
  return null;
};

/** The refusal of a plan that would touch something under a name nobody checked; the last door before any step. */
export const unsafeIn = (host: Host, plan: Plan): Failure | null => {
  for (const step of [...plan.main, ...plan.cleanup]) {
    const found = unsafe(host, step);
    if (found) return found;
  }
  return null;
};
