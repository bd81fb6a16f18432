import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import type { RuleLine } from '../../domain/firewall/rule.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { readInput } from '../cli/input-file.ts';
import { errorCode } from '../drivers/system-failure.ts';
import { readFirewallXml } from './read.ts';

export type FoundFirewall = {
  readonly vm: string;
  readonly rules: readonly RuleLine[];
  readonly notes: readonly string[];
};

type Named = { readonly name: string; readonly class: string };

/** A byte more than the reader takes, so that the reader says what is wrong. */
const LARGEST = 16 * 2 ** 20 + 1;

const isMissing = (error: unknown): boolean => errorCode(error) === 'ENOENT';

const isThere = (path: string): boolean => {
  try {
    statSync(path);
    return true;
  } catch (error) {
    // What cannot be looked at may be a firewall: to take it for none would open the VM.
    if (isMissing(error)) return false;
    throw error;
  }
};

const namesIn = (directory: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(directory));
  } catch (error) {
    if (isMissing(error)) return new Set();
    throw error;
  }
};

/** Where each VM's firewall.xml is. A VM's name is only looked up in what the directory holds: none becomes a path. */
const pathsBelow = (directory: string, vms: readonly Named[]): ReadonlyMap<string, string> => {
  const paths = new Map<string, string>();
  const held = new Map(['appvms', 'vm-templates', '.'].map((one) => [one, namesIn(join(directory, one))]));
  for (const vm of vms) {
    for (const layout of [vm.class === 'TemplateVM' ? 'vm-templates' : 'appvms', '.']) {
      const path = join(directory, layout, vm.name, 'firewall.xml');
      if (paths.has(vm.name) || !held.get(layout)?.has(vm.name) || !isThere(path)) continue;
      paths.set(vm.name, path);
    }
  }
  return paths;
};

const refusal = (directory: string, error: unknown): Result<never, Failure> => {
  if (errorCode(error) === null || !(error instanceof Error)) throw error;
  return err(failure('D_NOT_FOUND', `${directory} cannot be read`, { cause: error.message }));
};

/**
 * The firewalls that lie below a directory laid out as /var/lib/qubes (`appvms/VM/firewall.xml`), or as `VM/firewall.xml`.
 * One that cannot be read without guessing fails the whole: leaving it out would open the VM. Errors as readFirewallXml,
 * and D_NOT_FOUND.
 */
export const firewallsBelow = (directory: string, vms: readonly Named[]): Result<readonly FoundFirewall[], Failure> => {
  try {
    statSync(directory);
    const found: FoundFirewall[] = [];
    for (const [vm, path] of pathsBelow(directory, vms)) {
      const bytes = readInput(path, LARGEST);
      const read = bytes.ok ? readFirewallXml(bytes.value) : bytes;
      if (!read.ok) return err({ ...read.error, message: `${path}: ${read.error.message}` });
      found.push({ vm, ...read.value });
    }
    return ok(found);
  } catch (error) {
    return refusal(directory, error);
  }
};
