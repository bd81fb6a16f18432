import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolWound } from '../../../domain/pool/wound.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Acted } from '../driver.port.ts';
import { change, type ModelDriverOptions, shortName } from './hands.ts';
import { chunksOf, isStray } from './kernel.ts';
import type { LvmModel } from './model.ts';

/** The model's twin of the `lvm_thin` driver's examination: the same wounds, told from the same two transaction ids. */
export const examined = ({ model }: ModelDriverOptions): Result<readonly PoolWound[], Failure> => {
  const state = model.state();
  const { volumeGroup, visible, torn, pool, kernel, lvs } = state;
  if (torn) return ok([{ is: 'torn', volumeGroup }]);
  if (!visible) return err(failure('D_POOL_UNSEEN', `volume group ${volumeGroup} cannot be seen`));
  if (isStray(state)) {
    const counted = `LVM counts ${pool.transactionId} transactions and the kernel ${kernel.transactionId}`;
    return err(failure('D_POOL_DAMAGED', `${counted}, which no crash explains`));
  }
  if (!pool.active) model.activate(pool.name);
  if (kernel.transactionId === pool.transactionId) return ok([]);
  const suspect = [...lvs.values()].find(({ transactionId }) => transactionId + 1 === pool.transactionId);
  if (!suspect) return ok([]);
  const name = `${volumeGroup}/${suspect.name}`;
  const disk = suspect.uuid as DiskId;
  if (chunksOf(state, suspect)) {
    model.activate(suspect.name);
    return ok([{ is: 'wedged', name, disk, lvm: pool.transactionId, kernel: kernel.transactionId }]);
  }
  if (suspect.tags.includes('domtrail')) return ok([{ is: 'phantom', name, disk }]);
  return err(
    failure('D_POOL_DAMAGED', `${name} is listed and was never made`, { next: `lvm lvremove --force ${name}` }),
  );
};

const unlist = (options: ModelDriverOptions, name: string, disk: DiskId): Failure | null => {
  const lv = options.model.find(shortName(name));
  if (lv?.uuid !== disk) return failure('D_DRIFT', `${name} is not the disk ${disk}`);
  return change(options, () => options.model.remove(lv.name));
};

const activateAll = (model: LvmModel): void => {
  for (const { name } of model.state().lvs.values()) model.activate(name);
};

const mend = (options: ModelDriverOptions, wound: PoolWound): Failure | null => {
  const { model } = options;
  switch (wound.is) {
    case 'wedged': {
      const set = model.setTransactionId(wound.kernel, wound.lvm);
      return set ? null : failure('D_STEP_FAILED', `the kernel does not take ${wound.name} as made`);
    }
    case 'phantom':
      return unlist(options, wound.name, wound.disk);
    case 'torn':
      model.restore();
      activateAll(model);
      return null;
  }
};

export const mended = (options: ModelDriverOptions, wound: PoolWound): Acted => {
  const failed = mend(options, wound);
  const argv = [['lvm-model', 'mend', wound.is]];
  return {
    evidence: { argv, exitCode: failed ? 5 : 0, stderr: failed?.message ?? '', durationMs: 0 },
    failure: failed,
  };
};
