import { type KillPoint, rebooted } from './change.ts';
import { METADATA_BYTES } from './kernel.ts';
import type { PoolMode, State } from './state.ts';

type Armed = { readonly point: KillPoint; left: number };

/** The handle's own memory: all that is mutable about a model. */
export type Cell = { state: State; armed: Armed | null; changes: number };

/** What happens around a pool, as opposed to what LVM is asked for. */
export const surroundings = (cell: Cell) => ({
  killAt: (point: KillPoint, nth = 1): void => {
    cell.armed = { point, left: nth };
  },
  disarm: (): void => {
    cell.armed = null;
  },
  changes: () => cell.changes,
  setTransactionId: (from: number, to: number): boolean => {
    const { kernel } = cell.state;
    if (kernel.transactionId !== from) return false;
    cell.state = { ...cell.state, kernel: { ...kernel, transactionId: to } };
    return true;
  },
  holdMetadata: (hold: boolean): boolean => {
    const { kernel } = cell.state;
    if (hold === (kernel.held !== null)) return false;
    cell.state = { ...cell.state, kernel: { ...kernel, held: hold ? kernel.devices : null } };
    return true;
  },
  reboot: ({ autoactivate = true }: { readonly autoactivate?: boolean } = {}): void => {
    cell.state = rebooted(cell.state, autoactivate);
  },
  setVisible: (visible: boolean): void => {
    cell.state = { ...cell.state, visible };
  },
  setMode: (mode: PoolMode): void => {
    cell.state = { ...cell.state, kernel: { ...cell.state.kernel, mode } };
  },
  fragment: (percent: number): void => {
    const fragments = Math.ceil((percent / 100) * (METADATA_BYTES / 4096));
    cell.state = { ...cell.state, kernel: { ...cell.state.kernel, fragments } };
  },
  setBroken: (broken: boolean): void => {
    cell.state = { ...cell.state, broken };
  },
  tear: (): void => {
    cell.state = { ...cell.state, torn: true };
  },
  restore: (): void => {
    cell.state = { ...cell.state, torn: false };
  },
});
