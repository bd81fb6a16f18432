import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Image, Range } from '../image.ts';
import { CHUNK, readText } from './content.ts';
import { lvOf, type ModelDriverOptions } from './hands.ts';
import type { LvmModel } from './model.ts';
import { EXTENT } from './state.ts';

/** The device of an active LV, read as it is at the moment it is read. */
const deviceImage = (model: LvmModel, name: string, bytes: number, ranges: Image['ranges']): Image => ({
  bytes,
  ranges,
  open: async () => ({
    async *read({ offset, length }) {
      for (let at = offset; at < offset + length; at += CHUNK) {
        const text = readText(model.contentOf(name), at, Math.min(CHUNK, offset + length - at));
        yield Buffer.from(text, 'latin1');
      }
    },
    close: async () => undefined,
  }),
});

const mapped = (model: LvmModel, name: string): readonly Range[] =>
  [...model.contentOf(name).keys()].sort((a, b) => a - b).map((index) => ({ offset: index * CHUNK, length: CHUNK }));

/** As the real driver's, with the map that thin metadata would give, unless somebody else holds that. */
export const imageOf = ({ model }: ModelDriverOptions, at: Place, disk: DiskId): Result<Image, Failure> => {
  const name = lvOf(at);
  const lv = model.find(name);
  if (lv?.uuid !== disk) return err(failure('D_DRIFT', `${name} is not the disk ${disk}`));
  if (!lv.active) return err(failure('D_STEP_FAILED', `${name} is not active and cannot be read`));
  const bytes = lv.extents * EXTENT;
  if (!model.state().kernel.held) return ok(deviceImage(model, name, bytes, mapped(model, name)));
  return ok({ ...deviceImage(model, name, bytes, null), unmapped: 'somebody else holds the metadata' });
};
