import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Fact } from '../../domain/event.ts';
import { NO_FAULT } from '../../infrastructure/fault.ts';
import { noHypervisor } from '../../infrastructure/hypervisor/none.ts';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { readCheckpoint, saveCheckpoint } from '../../infrastructure/ledger/state.ts';
import { embeddedQubesDb } from '../../infrastructure/qubesdb/embedded.ts';
import { homeAt } from '../../infrastructure/service/home.ts';
import { publishQubesXml } from '../../infrastructure/service/publish.ts';
import { recoverHost } from '../../infrastructure/service/recover.ts';
import { type Service, serviceOf } from '../../infrastructure/service/service.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';
import { commanding, fact, ledgerFile, must, writable } from '../ledger/fixture.ts';

let service: Service;
let commands = 0;

const happens = (...facts: readonly Fact[]): void => {
  must(accept(service.ledger, commanding(`c${++commands}`, facts)));
};
const file = (): string => service.home.qubesXml;
const content = (): string => readFileSync(file(), 'utf8');
const checkpoint = () => readCheckpoint(service.ledger, 'qubes-xml');

beforeEach(() => {
  const path = ledgerFile();
  const ledger = writable(path);
  const home = homeAt(dirname(path));
  service = serviceOf({
    qubesDb: embeddedQubesDb({ directory: home.qubesDb, bootId: 'boot' }),
    home,
    ledger,
    driverFor: () => {
      throw new Error('no pool has disks here');
    },
    hypervisor: noHypervisor,
    fault: NO_FAULT,
    publish: () => publishQubesXml(ledger, home, qubesXml),
    stateAt: (position) => foldTo(ledger, position),
    progress: () => () => undefined,
    waitMs: 0,
  });
  happens({ type: 'HostInitialised', labels: [], properties: {} });
  must(service.publish());
});

describe('qubes.xml follows the log', () => {
  test('and the checkpoint knows what was written', () => {
    happens(fact('default_kernel', 'mine'));
    must(service.publish());
    expect(content()).toContain('<property name="default_kernel">mine</property>');
    expect(checkpoint()?.position).toBe(service.ledger.cache.head.position);
  });

  test('a change by somebody else is not overwritten, now or later', () => {
    writeFileSync(file(), 'theirs');
    happens(fact('a'));
    for (const _ of [1, 2]) expect(service.publish()).toMatchObject({ error: { code: 'D_XML_FOREIGN_CHANGE' } });
    expect(content()).toBe('theirs');
  });

  test('a crash before the file was written is made good by the next command', async () => {
    happens(fact('default_kernel', 'mine'));
    must(await recoverHost(service, { fault: NO_FAULT, failedToo: false, backupsToo: false, rewrites: false }));
    expect(content()).toContain('mine');
  });

  test('a crash between the file and the checkpoint does not make our own file look foreign', async () => {
    const before = checkpoint();
    happens(fact('default_kernel', 'mine'));
    must(service.publish());
    if (!before) throw new Error('nothing was published before');
    saveCheckpoint(service.ledger, before);
    must(await recoverHost(service, { fault: NO_FAULT, failedToo: false, backupsToo: false, rewrites: false }));
    happens(fact('default_kernel', 'other'));
    must(service.publish());
    expect(content()).toContain('other');
  });
});
