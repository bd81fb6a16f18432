import type { Pool } from '../pool/pool.ts';
import type { VmClass } from '../vm/vm.ts';

/** The volume's id inside its pool, as qubes.xml writes it (spec: qubes-xml A.5). `kernel` only matters to a linux-kernel pool. */
export const vidOf = (
  pool: Pool,
  vm: { readonly name: string; readonly class: VmClass },
  volume: string,
  kernel: string,
): string => {
  switch (pool.driver) {
    case 'lvm_thin':
      return `${pool.volumeGroup}/vm-${vm.name}-${volume}`;
    case 'file':
    case 'file-reflink':
      return `${vm.class === 'TemplateVM' ? 'vm-templates' : 'appvms'}/${vm.name}/${volume}`;
    case 'linux-kernel':
      return kernel;
  }
};
