import type { Disk, Volume, World } from './world.ts';

type Thrown = { readonly key: string; readonly disk: Disk };

/** What the disks say, to be held against a world. `strays`: devices that no volume at rest should have. */
type Seen = {
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly trash: readonly Thrown[];
  readonly strays: readonly string[];
};

type Part = { readonly key: string; readonly role: 'current' | 'session' | 'kept' | 'trash'; readonly at: number };

const partOf = (device: string): Part | null => {
  const [, vm, volume, end, at, trash] = /^vm-(\w+)-(root|private)(-snap|-(\d+)(-trash)?-back)?$/.exec(device) ?? [];
  if (vm === undefined || volume === undefined) return null;
  const kept = trash === undefined ? 'kept' : 'trash';
  const role = end === undefined ? 'current' : end === '-snap' ? 'session' : kept;
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
  const keys = new Set(lines.flatMap(({ part }) => (part && part.role !== 'trash' ? [part.key] : [])));
  const trash = lines.flatMap(({ part, disk }) => (part?.role === 'trash' ? [{ key: part.key, disk }] : []));
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
  return { volumes, trash, strays };
};

const text = ({ mark, bytes }: Disk): string => `${mark}/${bytes / 2 ** 20}M`;

/** One line per volume and per disk in the trash, sorted: two worlds are the same when their lines are. */
const linesOf = ({ volumes, trash, strays }: Seen): readonly string[] => [
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
  ...trash.map(({ key, disk }) => `trash of ${key} ${text(disk)}`).sort(),
  ...strays.map((name) => `stray ${name}`).sort(),
];

const expected = (world: World): Seen => {
  const all = Object.entries(world).flatMap(([vm, { state, volumes }]) =>
    Object.entries(volumes).map(([name, volume]) => ({ key: `${vm}:${name}`, volume, removed: state === 'removed' })),
  );
  const there = all.filter(({ removed }) => !removed).map(({ key, volume }) => [key, volume] as const);
  const trash = all
    .filter(({ removed }) => removed)
    .flatMap(({ key, volume }) => [volume.current, ...volume.kept].map((disk) => ({ key, disk })));
  return { volumes: Object.fromEntries(there), trash, strays: [] };
};

/** Lines of one that the other does not have as often. */
const beyond = (lines: readonly string[], others: readonly string[]): readonly string[] => {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};

const differences = (wanted: readonly string[], found: readonly string[]): readonly string[] => [
  ...beyond(wanted, found).map((line) => `  expected ${line}`),
  ...beyond(found, wanted).map((line) => `  found    ${line}`),
];

/** The allowed world that the disks hold, or a text that tells what is different from each. */
export const worldFound = (looked: string, allowed: readonly World[]): World | string => {
  const found = linesOf(parseLook(looked));
  const against = allowed.map((world) => ({ world, differ: differences(linesOf(expected(world)), found) }));
  const same = against.find(({ differ }) => differ.length === 0);
  return same
    ? same.world
    : against
        .map(({ differ }, index) => `against the ${index === 0 ? 'old' : 'new'} world:\n${differ.join('\n')}`)
        .join('\n');
};
