import { capacityOf, usedBlocks } from './kernel.ts';
import type { State } from './state.ts';

const repeated = (values: readonly (string | number)[]): readonly (string | number)[] =>
  values.filter((value, index) => values.indexOf(value) !== index);

/** LVM is ahead of the kernel by the one message that waits, or they agree. */
const transactions = ({ pool, kernel }: State): readonly string[] => {
  const ahead = pool.transactionId - kernel.transactionId;
  if (ahead === 0 || (ahead === 1 && pool.messages.length === 1)) return [];
  return [`LVM's transaction id is ${ahead} ahead with ${pool.messages.length} messages waiting`];
};

/** Every listed LV has a device and every device an LV, but for those that a waiting message is about. */
const devices = ({ lvs, kernel, pool }: State): readonly string[] => {
  const waiting = new Set(pool.messages.map((message) => ('create' in message ? message.create : message.delete)));
  const listed = new Set([...lvs.values()].map(({ thinId }) => thinId));
  const known = kernel.devices;
  return [
    ...[...listed]
      .filter((id) => !known.has(id) && !waiting.has(id))
      .map((id) => `thin device ${id} is listed and missing`),
    ...[...known.keys()]
      .filter((id) => !listed.has(id) && !waiting.has(id))
      .map((id) => `thin device ${id} is nobody's`),
  ];
};

const activity = ({ lvs, kernel }: State): readonly string[] =>
  [...lvs.values()].flatMap(({ name, thinId, active, open }) => [
    ...(active && !kernel.devices.has(thinId) ? [`${name} is active without a device`] : []),
    ...(open > 0 && !active ? [`${name} is open and inactive`] : []),
  ]);

/** What must hold of every state a model can be in, as sentences about what does not. */
export const brokenInvariants = (state: State): readonly string[] => {
  const all = [...state.lvs.values()];
  return [
    ...transactions(state),
    ...devices(state),
    ...activity(state),
    ...repeated(all.map(({ name }) => name)).map((name) => `two LVs are called ${name}`),
    ...repeated(all.map(({ thinId }) => thinId)).map((id) => `two LVs have the thin device ${id}`),
    ...(usedBlocks(state) > capacityOf(state) ? ['more chunks are in use than the pool has'] : []),
    ...(state.kernel.transactionId > state.pool.transactionId ? ['the kernel is ahead of LVM'] : []),
  ];
};
