import * as z from 'zod';
import type { Failure } from './failure.ts';
import { parseLvmName, parsePoolName, parseVmName, parseVolumeName, type VmName } from './names.ts';
import type { Result } from './result.ts';
import { forbiddenIn } from './xml-characters.ts';

/** A zod schema out of one of the parsers, so that each rule is written once. */
const parsedBy = <T extends string>(parse: (text: string) => Result<T, Failure>) =>
  z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.error.message });
    return z.NEVER;
  });

export const vmNameSchema = parsedBy(parseVmName);
/** A VM that may be there by adoption, under a name that no new VM gets. */
export const knownVmNameSchema = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'holds control characters')
  .transform((text) => text as VmName);
export const volumeNameSchema = parsedBy(parseVolumeName);
export const poolNameSchema = parsedBy(parsePoolName);
export const lvmNameSchema = parsedBy(parseLvmName);

/** Largest volume: 2^50 bytes. dm-thin ends at 2^58, a JavaScript number at 2^53. */
export const bytesSchema = z
  .int()
  .min(1)
  .max(2 ** 50);

const PRINTABLE = /^[^\u0000-\u001f\u007f]*$/;

export const absolutePathSchema = z
  .string()
  .max(4096)
  .regex(/^\//, 'must be absolute')
  .regex(PRINTABLE, 'holds control characters');

/** Text that ends up in qubes.xml: bounded, without what XML 1.0 cannot hold. */
export const textSchema = z
  .string()
  .max(4096)
  .refine((text) => forbiddenIn(text) === null, 'holds characters that XML cannot hold');
