import { XMLParser } from 'fast-xml-parser';
import { emptyHost, type Host } from '../../domain/host/host.ts';
import { type PoolName, type VmName, volumeKey } from '../../domain/names.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import type { Vm, VmClass } from '../../domain/vm/vm.ts';
import { volumeOfSpec } from '../../domain/volume/evolve.ts';
import type { Volume, VolumeSpec } from '../../domain/volume/volume.ts';

type Node = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
  readonly text: string;
};
type Raw = Readonly<Record<string, unknown>>;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decoded = (text: string): string =>
  text.replace(/&(#[0-9]+|#x[0-9a-fA-F]+|[a-z]+);/g, (_all, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    return name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : (ENTITIES[name] ?? '?');
  });

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  attributeNamePrefix: '',
});

const nodeOf = (raw: Raw): Node => {
  const name = Object.keys(raw).find((key) => key !== ':@') ?? '';
  const items = raw[name] as readonly Raw[];
  const attributes = Object.fromEntries(
    Object.entries((raw[':@'] ?? {}) as Record<string, string>).map(([key, value]) => [key, decoded(value)]),
  );
  const text = items.flatMap((item) => ('#text' in item ? [decoded(String(item['#text']))] : [])).join('');
  return { name, attributes, children: items.filter((item) => !('#text' in item)).map(nodeOf), text };
};

const child = (node: Node, name: string): Node | undefined => node.children.find((one) => one.name === name);
const named = (node: Node | undefined): Record<string, string> =>
  Object.fromEntries((node?.children ?? []).map((one) => [one.attributes['name'] ?? '', one.text]));

const poolOf = ({ attributes: a }: Node): Pool => {
  const common = {
    name: a['name'] as PoolName,
    revisionsToKeep: Number(a['revisions_to_keep']),
    ephemeralVolatile: a['ephemeral_volatile'] === 'True',
  };
  if (a['driver'] === 'lvm_thin')
    return { ...common, driver: 'lvm_thin', volumeGroup: a['volume_group'] ?? '', thinPool: a['thin_pool'] ?? '' };
  // The driver `file` is not ours; it is written like file-reflink, which is all this reader is about.
  if (a['driver'] !== 'linux-kernel') return { ...common, driver: 'file-reflink', dir: a['dir_path'] ?? '' };
  return { name: common.name, driver: 'linux-kernel', dir: a['dir_path'] ?? '' };
};

const specOf = (vm: string, { attributes: a }: Node): VolumeSpec => ({
  key: volumeKey(vm, a['name'] ?? ''),
  name: a['name'] as VolumeSpec['name'],
  pool: a['pool'] as PoolName,
  vid: a['vid'] ?? '',
  bytes: Number(a['size'] ?? 0),
  rw: a['rw'] === 'True',
  snapOnStart: a['snap_on_start'] === 'True',
  saveOnStop: a['save_on_stop'] === 'True',
  revisionsToKeep: Number(a['revisions_to_keep']),
  source: null,
  ephemeral: a['ephemeral'] === undefined ? null : a['ephemeral'] === 'True',
});

const vmOf = (node: Node): Vm => {
  const properties = named(child(node, 'properties'));
  const { name = 'dom0', ...rest } = properties;
  const volumes: Record<string, Volume> = {};
  for (const one of child(node, 'volume-config')?.children ?? [])
    volumes[one.attributes['name'] ?? ''] = volumeOfSpec(specOf(name, one));
  return {
    name: name as VmName,
    class: node.attributes['class'] as VmClass,
    power: { is: 'halted' },
    firewall: null,
    published: null,
    properties: rest,
    features: named(child(node, 'features')),
    tags: (child(node, 'tags')?.children ?? []).map((one) => one.attributes['name'] ?? ''),
    volumes,
  };
};

/** Sources are written as vids; the state knows them by volume. */
const linkSources = (root: Node, host: Host): void => {
  const byVid = new Map(
    [...host.vms.values()]
      .flatMap((vm) => Object.values(vm.volumes))
      .map((one) => [`${one.spec.pool} ${one.spec.vid}`, one.spec.key]),
  );
  for (const node of child(root, 'domains')?.children ?? []) {
    const vm = host.vms.get((named(child(node, 'properties'))['name'] ?? 'dom0') as VmName);
    for (const one of child(node, 'volume-config')?.children ?? []) {
      const volume = vm?.volumes[one.attributes['name'] as keyof typeof vm.volumes];
      const source = byVid.get(`${one.attributes['pool']} ${one.attributes['source']}`);
      if (volume && source) Object.assign(volume, { spec: { ...volume.spec, source } });
    }
  }
};

/** The state that a document saved by the real code stands for: a reader for tests, without any of the loader's checks. */
export const hostOfDocument = (xml: string): Host => {
  const root = nodeOf((PARSER.parse(xml) as readonly Raw[])[0] ?? {});
  const host = emptyHost();
  const labels = (child(root, 'labels')?.children ?? []).map((one) => ({
    name: one.text,
    index: Number((one.attributes['id'] ?? '').slice(6)),
    color: one.attributes['color'] ?? '',
  }));
  host.site = { labels, properties: named(child(root, 'properties')) };
  for (const one of child(root, 'pools')?.children ?? []) {
    const pool = poolOf(one);
    host.pools.set(pool.name, pool);
  }
  for (const one of child(root, 'domains')?.children ?? []) {
    const vm = vmOf(one);
    host.vms.set(vm.name, vm);
  }
  linkSources(root, host);
  return host;
};
