import type { Hypervisor } from './hypervisor.port.ts';

const nothing = async () => ({ evidence: { argv: [], exitCode: null, stderr: '', durationMs: 0 }, failure: null });

/** Storage only: another tool runs the VM on the paths that `vm start` prints. */
export const noHypervisor: Hypervisor = { start: nothing, stop: nothing };
