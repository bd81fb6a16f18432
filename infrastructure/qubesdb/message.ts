import { LONGEST_PATH, LONGEST_VALUE } from '../../domain/qubesdb/key-change.ts';

/** What a client asks (spec: C.2). */
export const ASK = { read: 0, write: 1, multiread: 2, list: 3, remove: 4, watch: 5, unwatch: 6 } as const;
/** What a daemon answers. */
export const REPLY = { ok: 7, noEntry: 8, error: 9, read: 10, multiread: 11, list: 12, watch: 13 } as const;

export type AskType = (typeof ASK)[keyof typeof ASK];
export type Message = { readonly type: number; readonly path: string; readonly data: Buffer };

/** u8 type, 64 bytes of path with its NUL, 3 of padding, u32 little-endian length of the data; the data follows. */
export const HEADER = 72;
const PATH_AT = 1;
const PATH_FIELD = 64;
const LENGTH_AT = 68;

/** Header and data in one piece: a daemon that has half a message waits for the rest and serves nobody else meanwhile. */
export const encode = (type: AskType, path: string, data: Buffer): Buffer => {
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`the path ${path} was not checked`);
  const message = Buffer.alloc(HEADER + data.length);
  message.writeUInt8(type, 0);
  message.write(path, PATH_AT, 'latin1');
  message.writeUInt32LE(data.length, LENGTH_AT);
  data.copy(message, HEADER);
  return message;
};

/** The longest value a daemon keeps, and its NUL in case it counts that. */
const LONGEST_DATA = LONGEST_VALUE + 1;

type Decoded =
  | { readonly is: 'message'; readonly message: Message; readonly rest: Buffer }
  | { readonly is: 'partial' }
  | { readonly is: 'garbled'; readonly why: string };

const garbled = (why: string): Decoded => ({ is: 'garbled', why });

/** The first message of what has arrived. Never asks for more than a header and the longest value before it judges. */
export const decode = (bytes: Buffer): Decoded => {
  if (bytes.length < HEADER) return { is: 'partial' };
  const type = bytes.readUInt8(0);
  if (type < REPLY.ok || type > REPLY.watch) return garbled(`a message of type ${type}`);
  const field = bytes.subarray(PATH_AT, PATH_AT + PATH_FIELD);
  const end = field.indexOf(0);
  if (end < 0) return garbled('a path without an end');
  const length = bytes.readUInt32LE(LENGTH_AT);
  const carries = type === REPLY.read || type === REPLY.multiread;
  if (length > (carries ? LONGEST_DATA : 0)) return garbled(`${length} bytes of data with a message of type ${type}`);
  if (bytes.length < HEADER + length) return { is: 'partial' };
  const path = field.toString('latin1', 0, end);
  const data = Buffer.from(bytes.subarray(HEADER, HEADER + length));
  return { is: 'message', message: { type, path, data }, rest: bytes.subarray(HEADER + length) };
};
