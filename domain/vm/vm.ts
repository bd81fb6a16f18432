import type { Firewall } from '../firewall/rule.ts';
import type { VmName, VolumeName } from '../names.ts';
import type { Volume } from '../volume/volume.ts';
import type { Devices } from './devices.ts';

export type VmClass = 'TemplateVM' | 'AppVM' | 'StandaloneVM' | 'DispVM' | 'AdminVM' | 'RemoteVM';

/** `bootId` is the host's at the start: another one now means that the VM did not survive. */
type Power = { readonly is: 'halted' } | { readonly is: 'running'; readonly bootId: string };

/**
 * A VM. `properties` are those set explicitly, in the text form of qubes.xml (label, qid, uuid, template, netvm ...);
 * the order of `features`, `tags` and `volumes` is the order of setting.
 */
export type Vm = {
  readonly name: VmName;
  readonly class: VmClass;
  readonly power: Power;
  readonly properties: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, string>>;
  /** only there when an object would lose the order: it puts names like `7` first */
  readonly featureOrder?: readonly string[];
  readonly tags: readonly string[];
  /** only there when some were set */
  readonly devices?: Devices;
  /** only there when it has some */
  readonly notes?: string;
  readonly volumes: Readonly<Record<VolumeName, Volume>>;
  /** null: never set, everything may pass */
  readonly firewall: Firewall | null;
  /** where its rules were last published, and as of when (epoch milliseconds); a stop takes nothing away there */
  readonly published: { readonly netvm: VmName; readonly asOf: number } | null;
};

export const featureNames = ({ features, featureOrder }: Pick<Vm, 'features' | 'featureOrder'>): readonly string[] =>
  featureOrder ?? Object.keys(features);

export const volumesOf = (vm: Vm): readonly Volume[] => Object.values(vm.volumes);
