import type { Disk, Volume, World } from './world.ts';

/** What the disks say, to be held against a world. `strays`: devices that no volume at rest should have. */
type Seen = { readonly volumes: Readonly<Record<string, Volume>>; readonly strays: readonly string[] };

type Part = { readonly key: string; readonly role: 'current' | 'session' | 'kept'; readonly at: number };

const partOf = (device: string): Part | null => {
  const [, vm, volume, end, at] = /^vm-(\w+)-(root|private)(-snap|-(\d+)-back)?$/.exec(device) ?? [];
  if (vm === undefined || volume === undefined) return null;
  const role = end === undefined ? 'current' : end === '-snap' ? 'session' : 'kept';
  return { key: `${vm}:${volume}`, role, at: Number(at ?? 0) };
};

type Line = { readonly name: string; readonly part: Part | null; readonly disk: Disk };

const lineOf = (line: string): Line => {
  const [name = '', bytes = '', mark = '?'] = line.split(' ');
  return { name, part: partOf(name), disk: { mark, bytes: Number(bytes) } };
};

/** Reads what look.pl printed. */
const parseLook = (text: string): Seen => {
  const lines = text.split('\n').filter(Boolean).map(lineOf);
  const keys = new Set(lines.flatMap(({ part }) => (part ? [part.key] : [])));
  const strays = lines.filter(({ part }) => part === null).map(({ name }) => name);
  const volumes: Record<string, Volume> = {};
  for (const key of keys) {
    const own = lines.filter(({ part }) => part?.key === key);
    const one = (role: Part['role']): Disk | null => own.find(({ part }) => part?.role === role)?.disk ?? null;
    const kept = own.filter(({ part }) => part?.role === 'kept').sort((a, b) => (b.part?.at ?? 0) - (a.part?.at ?? 0));
    volumes[key] = {
      current: one('current') ?? { mark: 'missing', bytes: 0 },
      kept: kept.map(({ disk }) => disk),
      session: one('session'),
    };
  }
  return { volumes, strays };
};

const text = ({ mark, bytes }: Disk): string => `${mark}/${bytes / 2 ** 20}M`;

/** One line per volume, sorted: two worlds are the same when their lines are. */
const linesOf = (volumes: Readonly<Record<string, Volume>>, strays: readonly string[]): readonly string[] => [
  ...Object.entries(volumes)
    .map(([key, { current, kept, session }]) => {
      const parts = [
        text(current),
        ...kept.map((disk) => `was ${text(disk)}`),
        ...(session ? [`session ${text(session)}`] : []),
      ];
      return `${key} ${parts.join(', ')}`;
    })
    .sort(),
  ...strays.map((name) => `stray ${name}`).sort(),
];

const volumesOf = (world: World): Readonly<Record<string, Volume>> =>
  Object.fromEntries(
    Object.entries(world).flatMap(([vm, { volumes }]) =>
      Object.entries(volumes).map(([name, volume]) => [`${vm}:${name}`, volume]),
    ),
  );

const differences = (expected: readonly string[], found: readonly string[]): readonly string[] => [
  ...expected.filter((line) => !found.includes(line)).map((line) => `  expected ${line}`),
  ...found.filter((line) => !expected.includes(line)).map((line) => `  found    ${line}`),
];

/** The allowed world that the disks hold, or a text that tells what is different from each. */
export const worldFound = (looked: string, allowed: readonly World[]): World | string => {
  const seen = parseLook(looked);
  const found = linesOf(seen.volumes, seen.strays);
  const against = allowed.map((world) => ({ world, differ: differences(linesOf(volumesOf(world), []), found) }));
  const same = against.find(({ differ }) => differ.length === 0);
  return same
    ? same.world
    : against
        .map(({ differ }, index) => `against the ${index === 0 ? 'old' : 'new'} world:\n${differ.join('\n')}`)
        .join('\n');
};
