import { join } from 'node:path';
import { PROJECTIONS } from '../../bin/compose.ts';
import type { Fact } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import type { VolumeSpec } from '../../domain/volume/volume.ts';
import { acquireLease, releaseLease } from '../../infrastructure/ledger/lease.ts';
import { closeLedger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import { catchUp } from '../../infrastructure/ledger/projections.ts';
import { commandsUpTo } from '../../infrastructure/ledger/queries.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { volumeSpec } from '../domain/volume-spec.ts';
import type { Terminal } from './terminal.ts';

const must = <T>(result: Result<T, Failure>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
};

type Kind = { readonly vidOf: (vm: string, volume: string) => string; readonly bytes: number };

const specs = (vm: string, template: string | null, { vidOf, bytes }: Kind): readonly VolumeSpec[] => {
  const spec = (name: string, more: Partial<VolumeSpec>): VolumeSpec =>
    volumeSpec(vm, name, { pool: 'default', vid: vidOf(vm, name), bytes }, more);
  const fromTemplate = { snapOnStart: true, saveOnStop: false, source: `${template}:root` as never };
  return [
    spec('root', template === null ? {} : fromTemplate),
    spec('private', {}),
    spec('volatile', { saveOnStop: false, revisionsToKeep: 0 }),
  ];
};

export type KnownVm = { readonly name: string; readonly template: string | null };

const created = ({ name, template }: KnownVm, kind: Kind): Fact => ({
  type: 'VmCreated',
  vm: name as never,
  class: template === null ? 'TemplateVM' : 'AppVM',
  properties: { label: 'red', ...(template === null ? {} : { template }) },
  features: {},
  tags: [],
  volumes: specs(name, template, kind),
  clonedFrom: null,
});

/** Makes the log of a fresh home know VMs as a host's qubes.xml has them: with volumes, and without a single disk. */
export const knowsVms = (terminal: Terminal, kind: Kind, ...vms: readonly KnownVm[]): void =>
  happened(terminal, ...vms.map((vm) => created(vm, kind)));

/** Writes facts into the log of a fresh home, as if its first command had led to them. */
export const happened = (terminal: Terminal, ...facts: readonly Fact[]): void => {
  const ledger = must(openLedger(join(terminal.home, 'ledger.db'), 'write', PROJECTIONS));
  try {
    must(catchUp(ledger));
    must(acquireLease(ledger, thisProcess(), 'given'));
    const [init] = commandsUpTo(ledger);
    if (!init) throw new Error('the home is not initialised');
    must(record(ledger, { command: init.id, time: Date.now() }, facts));
    // Derived, and made again from the log where it is missing.
    ledger.db.prepare('DELETE FROM outcomes WHERE command = ?').run(init.id);
  } finally {
    releaseLease(ledger);
    closeLedger(ledger);
  }
};

export const inFiles: Kind = {
  bytes: 2 ** 20,
  vidOf: (vm, volume) => `${vm === 'debian' ? 'vm-templates' : 'appvms'}/${vm}/${volume}`,
};

export const inLvm: Kind = { bytes: 2 ** 24, vidOf: (vm, volume) => `qubes_dom0/vm-${vm}-${volume}` };
