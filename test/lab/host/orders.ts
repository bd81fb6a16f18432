import type { Machine } from './machine.ts';
import { IMPORT_BYTES, type Order } from './world.ts';

export const HOME = '/run/host/domtrail';
const importFile = (mark: string): string => `/run/host/import-${mark}`;

/** The words a person would type. */
const wordsOf = (order: Order): readonly string[] => {
  const key = 'volume' in order ? `${order.vm}:${order.volume}` : '';
  switch (order.do) {
    case 'start':
    case 'stop':
      return ['vm', order.do, order.vm];
    case 'remove':
      return ['vm', 'remove', order.vm, '--yes'];
    case 'clone':
      return ['vm', 'clone', order.vm, order.to];
    case 'commit':
    case 'discard':
    case 'revert':
      return ['volume', order.do, key];
    case 'import':
      return ['volume', 'import', key, importFile(order.mark)];
    case 'resize':
      return ['volume', 'resize', key, `${order.bytes}`];
    case 'write':
      return ['write', key, order.mark];
  }
};

export const must = async (machine: Machine, order: object): Promise<void> => {
  const answer = await machine.work(order);
  if (answer.code === 0) return;
  const log = await machine.run('tail -c 3000 /run/work.log; dmesg | tail -5');
  throw new Error(`${JSON.stringify(order)} ended with ${answer.code}\n${answer.error ?? ''}${log.out}`);
};

/** Runs one command of the product in the worker. Throws when it does not end with 0. */
export const command = (machine: Machine, id: string | null, words: readonly string[]): Promise<void> =>
  must(machine, { do: 'command', words: [...words, '--home', HOME, ...(id === null ? [] : ['--id', id])] });

/** What an order needs beforehand, which no crash may hit as a part of it. */
export const prepareOrder = async (machine: Machine, order: Order): Promise<void> => {
  if (order.do !== 'import') return;
  await must(machine, { do: 'file', path: importFile(order.mark), bytes: IMPORT_BYTES, mark: order.mark });
};

/** Carries an order out; that this returns is its acknowledgement. */
export const carryOut = (machine: Machine, order: Order, id: string): Promise<void> => {
  if (order.do !== 'write') return command(machine, id, wordsOf(order));
  const device = `/dev/qubes_dom0/vm-${order.vm}-${order.volume}-snap`;
  return must(machine, { do: 'write', device, mark: order.mark });
};
