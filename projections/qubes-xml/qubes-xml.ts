import { type Failure, failure } from '../../domain/failure.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Assignment, Devices } from '../../domain/vm/devices.ts';
import { kernelOf } from '../../domain/vm/kernel.ts';
import { inDomainOrder } from '../../domain/vm/order.ts';
import { featureNames, type Vm, volumesOf } from '../../domain/vm/vm.ts';
import { bytesOf, type Volume } from '../../domain/volume/volume.ts';
import { forbiddenIn } from '../../domain/xml-characters.ts';
import { documentOf, type Element } from './element.ts';
import { inGlobalOrder, inVmOrder } from './property-order.ts';

type Attributes = Element['attributes'];

const element = (name: string, attributes: Attributes, content: Element['content'] = []): Element => ({
  name,
  attributes,
  content,
});

const bool = (value: boolean): string => (value ? 'True' : 'False');

const labels = (host: Host): Element => {
  const sorted = [...(host.site?.labels ?? [])].sort((a, b) => a.index - b.index);
  const one = ({ index, color, name }: (typeof sorted)[number]) =>
    element(
      'label',
      [
        ['id', `label-${index}`],
        ['color', color],
      ],
      name,
    );
  return element('labels', [], sorted.map(one));
};

const storageOf = (pool: Pool): Attributes =>
  pool.driver === 'lvm_thin'
    ? [
        ['volume_group', pool.volumeGroup],
        ['thin_pool', pool.thinPool],
      ]
    : [['dir_path', pool.dir]];

const keepingOf = (pool: Pool): Attributes =>
  pool.driver === 'linux-kernel'
    ? []
    : [
        ['revisions_to_keep', pool.revisionsText ?? `${pool.revisionsToKeep}`],
        ['ephemeral_volatile', bool(pool.ephemeralVolatile)],
      ];

const pools = (host: Host): Element => {
  const one = (pool: Pool) =>
    element('pool', [['name', pool.name], ...storageOf(pool), ['driver', pool.driver], ...keepingOf(pool)]);
  return element('pools', [], [...host.pools.values()].map(one));
};

type Texts = Readonly<Record<string, string>>;

/** `<property name=...>text</property>` and `<feature name=...>text</feature>`, in the order of the names given. */
const named = (tag: string, names: readonly string[], texts: Texts): readonly Element[] =>
  names.map((name) => element(tag, [['name', name]], texts[name] ?? ''));

const globals = (host: Host): Element => {
  const set = host.site?.properties ?? {};
  return element('properties', [], named('property', inGlobalOrder(Object.keys(set)), set));
};

const volume = (host: Host, vm: Vm, one: Volume): Element => {
  const { spec } = one;
  const isKernel = host.pools.get(spec.pool)?.driver === 'linux-kernel';
  const source = spec.source ? volumeOf(host, spec.source) : undefined;
  const bytes = bytesOf(one);
  const flag = (name: string, value: boolean) => [name, spec.written?.[name] ?? bool(value)] as const;
  const sourceVid = spec.written?.['source'] ?? source?.spec.vid;
  return element('volume', [
    ['name', spec.name],
    ['pool', spec.pool],
    // Stock computes it from the kernel property at each load and ignores what the file says.
    ['vid', isKernel ? kernelOf(host, vm.properties) : spec.vid],
    ['revisions_to_keep', `${spec.revisionsToKeep}`],
    flag('rw', spec.rw),
    flag('save_on_stop', spec.saveOnStop),
    flag('snap_on_start', spec.snapOnStart),
    ...(spec.ephemeral === null ? [] : [flag('ephemeral', spec.ephemeral)]),
    ...(bytes === 0 ? [] : [['size', `${bytes}`] as const]),
    ...(sourceVid === undefined ? [] : [['source', sourceVid] as const]),
  ]);
};

const device = ({ backend, id, mode, identity, options }: Assignment): Element =>
  element(
    'device',
    [
      ['backend-domain', backend ?? '*'],
      ['id', id],
      ['mode', mode],
      ['identity', identity],
    ],
    options.map(([name, text]) => element('option', [['name', name]], text)),
  );

/** One element for each class that was touched, also an empty one. */
const devices = (all: Devices): readonly Element[] =>
  Object.entries(all).map(([name, list]) => element('devices', [['class', name]], list.map(device)));

/** Classes whose machines have no disks here. */
const WITHOUT_VOLUMES: ReadonlySet<string> = new Set(['AdminVM', 'RemoteVM']);

/** Stock takes dom0's identity as given and refuses a document that states it. */
const statedProperties = (vm: Vm): Texts =>
  vm.class === 'AdminVM' ? vm.properties : { ...vm.properties, name: vm.name };

const domain = (host: Host, vm: Vm): Element => {
  const properties = statedProperties(vm);
  const tags = vm.tags.map((tag) => element('tag', [['name', tag]]));
  const volumes = volumesOf(vm).map((one) => volume(host, vm, one));
  return element(
    'domain',
    [
      ['id', `domain-${vm.class === 'AdminVM' ? '0' : (vm.properties['qid'] ?? '')}`],
      ['class', vm.class],
    ],
    [
      element('properties', [], named('property', inVmOrder(Object.keys(properties)), properties)),
      element('features', [], named('feature', featureNames(vm), vm.features)),
      element('tags', [], tags),
      ...devices(vm.devices ?? {}),
      ...(WITHOUT_VOLUMES.has(vm.class) ? [] : [element('volume-config', [], volumes)]),
    ],
  );
};

const refuse = (text: string, character: string): Result<never, Failure> => {
  const line = text.split('\n').find((one) => forbiddenIn(one) !== null) ?? '';
  const cause = JSON.stringify(line.trim().slice(0, 200));
  return err(failure('D_PROPERTY_INVALID', `qubes.xml cannot hold the character ${character}`, { cause }));
};

/**
 * qubes.xml as stock would save this state, byte for byte (spec: qubes-xml A), with tags in the order of setting. Fails
 * with D_PROPERTY_INVALID when some text holds a character that XML does not have.
 */
export const qubesXml = (host: Host): Result<string, Failure> => {
  const vms = [...host.vms.values()].sort(inDomainOrder);
  const domains = element(
    'domains',
    [],
    vms.map((vm) => domain(host, vm)),
  );
  const text = documentOf(element('qubes', [], [labels(host), pools(host), globals(host), domains]));
  const character = forbiddenIn(text);
  return character === null ? ok(text) : refuse(text, character);
};
