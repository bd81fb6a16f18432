import { createServer, type Socket } from 'node:net';
import { type Cache, type Request, SECTOR } from './sectors.ts';

/**
 * What QEMU talks to as its disk: the fixed newstyle NBD protocol with simple replies
 * (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md), as much of it as QEMU asks for.
 */

const HAS_FLAGS = 1;
const CAN = { flush: 4, fua: 8, trim: 32, zeroes: 64 };
const FLAGS = HAS_FLAGS | CAN.flush | CAN.fua | CAN.trim | CAN.zeroes;
const OPTION = { exportName: 1, abort: 2, info: 6, go: 7 };
const REPLY = { ack: 1, info: 3, unsupported: 0x80000001 };
const COMMAND = { read: 0, write: 1, end: 2, flush: 3, trim: 4, zeroes: 6 };
const INVALID = 22;

/** The cache behind the server may be changed for another, and `null` stands for a disk without power. */
export type Behind = {
  cache: Cache | null;
  bytes: number;
  /** called before each write or flush is taken; may set `cache` to null */
  watch: (request: Request) => void;
};

const hello = (): Buffer => {
  const data = Buffer.alloc(18);
  data.write('NBDMAGICIHAVEOPT', 0, 'latin1');
  data.writeUInt16BE(3, 16);
  return data;
};

const optionReply = (option: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(0x3e889045565a9n, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
};

const sizeAndFlags = (bytes: number): Buffer => {
  const data = Buffer.alloc(10);
  data.writeBigUInt64BE(BigInt(bytes), 0);
  data.writeUInt16BE(FLAGS, 8);
  return data;
};

type Phase = 'flags' | 'options' | 'commands' | 'over';

/** Takes one message off the front of what has arrived: how long it was and what to answer; null while it is incomplete. */
type Taken = { readonly length: number; readonly answer: Buffer | null; readonly phase: Phase };

const takeOption = (input: Buffer, bytes: number): Taken | null => {
  if (input.length < 16) return null;
  const option = input.readUInt32BE(8);
  const length = 16 + input.readUInt32BE(12);
  if (input.length < length) return null;
  const info = Buffer.concat([Buffer.alloc(2), sizeAndFlags(bytes)]);
  switch (option) {
    case OPTION.go:
    case OPTION.info: {
      const answer = Buffer.concat([optionReply(option, REPLY.info, info), optionReply(option, REPLY.ack)]);
      return { length, answer, phase: option === OPTION.go ? 'commands' : 'options' };
    }
    case OPTION.exportName:
      return { length, answer: sizeAndFlags(bytes), phase: 'commands' };
    case OPTION.abort:
      return { length, answer: optionReply(option, REPLY.ack), phase: 'over' };
    default:
      return { length, answer: optionReply(option, REPLY.unsupported), phase: 'options' };
  }
};

const reply = (handle: Buffer, error: number, data: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(0x67446698, 0);
  head.writeUInt32BE(error, 4);
  handle.copy(head, 8);
  return Buffer.concat([head, data]);
};

type Asked = { readonly command: number; readonly offset: number; readonly length: number };

const requestOf = ({ command, offset, length }: Asked, durable: boolean, data: Buffer): Request | null => {
  if (command === COMMAND.flush) return { is: 'flush' };
  const content = command === COMMAND.zeroes ? Buffer.alloc(length) : data;
  return command === COMMAND.write || command === COMMAND.zeroes
    ? { is: 'write', sector: offset / SECTOR, data: content, durable }
    : null;
};

const takeCommand = (input: Buffer, behind: Behind): Taken | null => {
  if (input.length < 28) return null;
  const durable = (input.readUInt16BE(4) & 1) === 1;
  const asked: Asked = {
    command: input.readUInt16BE(6),
    offset: Number(input.readBigUInt64BE(16)),
    length: input.readUInt32BE(24),
  };
  const payload = asked.command === COMMAND.write ? asked.length : 0;
  if (input.length < 28 + payload) return null;
  const taken = { length: 28 + payload, phase: asked.command === COMMAND.end ? 'over' : 'commands' } as const;
  if (asked.command === COMMAND.end) return { ...taken, answer: null };
  const handle = Buffer.from(input.subarray(8, 16));
  const request = requestOf(asked, durable, Buffer.from(input.subarray(28, 28 + payload)));
  if (request) behind.watch(request);
  // Without power there is no answer, ever.
  if (!behind.cache) return { ...taken, answer: null };
  if (request) behind.cache.take(request);
  else if (asked.command === COMMAND.read) {
    return { ...taken, answer: reply(handle, 0, behind.cache.read(asked.offset, asked.length)) };
  }
  return { ...taken, answer: reply(handle, request || asked.command === COMMAND.trim ? 0 : INVALID) };
};

const serve = (socket: Socket, behind: Behind): void => {
  let input = Buffer.alloc(0);
  let phase: Phase = 'flags';
  const next = (): Taken | null => {
    if (phase === 'flags') return input.length < 4 ? null : { length: 4, answer: null, phase: 'options' };
    return phase === 'options' ? takeOption(input, behind.bytes) : takeCommand(input, behind);
  };
  socket.on('error', () => undefined);
  socket.on('data', (data: Buffer) => {
    input = Buffer.concat([input, data]);
    for (let taken = next(); taken; taken = next()) {
      input = input.subarray(taken.length);
      phase = taken.phase;
      if (taken.answer) socket.write(taken.answer);
      if (phase === 'over') return socket.end();
    }
  });
  socket.write(hello());
};

/** Listens on a unix socket until `close`. */
export const nbdServer = async (path: string, behind: Behind): Promise<{ readonly close: () => Promise<void> }> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, behind);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
};
