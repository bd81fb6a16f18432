import { connect, type Socket } from 'node:net';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Asked, judgeReply } from './expectation.ts';
import { holdSignals, releaseSignals } from './hold-signals.ts';
import { type AskType, decode, encode, type Message, REPLY } from './message.ts';

export type Replies = Result<readonly Message[] | null, Failure>;

export type Ask = { readonly type: AskType; readonly path: string; readonly data?: Buffer };

/** One connection to one daemon. */
export type Connection = {
  /** The replies to a request, null when there is no such key. Requests of one connection are answered in order. */
  readonly ask: (request: Ask) => Promise<Replies>;
  /** Says that nothing more will be asked, and waits until the daemon has said everything and closed. */
  readonly close: () => Promise<void>;
  readonly isOpen: () => boolean;
};

export type HowToConnect = {
  readonly path: string;
  /** milliseconds without a word from the daemon after which an answer is not waited for any more */
  readonly timeoutMs: number;
  readonly onWatch?: (path: string) => void;
  /** the connection is over, whoever ended it */
  readonly onEnd?: () => void;
};

/**
 * How many requests may wait for an answer: a VM's usual list in one go, because every further turn costs a switch of
 * processes; not more, because a kill while answers are owed takes the daemon with it.
 */
const WINDOW = 128;
/** Bytes that one answer may have, all its replies together: far more than any QubesDB holds. */
const LARGEST_ANSWER = 64 * 2 ** 20;

type Waiting = Asked & { readonly bytes: Buffer; readonly settle: (replies: Replies) => void };

const unreachable = (path: string, cause: string): Failure =>
  failure('D_QUBESDB_UNREACHABLE', `the QubesDB daemon behind ${path} does not answer`, {
    cause,
    next: 'start it (or its VM) again, then: domtrail recover',
  });

class Line implements Connection {
  private readonly queue: Waiting[] = [];
  private readonly sent: Waiting[] = [];
  private replies: Message[] = [];
  private size = 0;
  private received: Buffer = Buffer.alloc(0);
  private over: Failure | null = null;
  private ended = false;
  private held = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly socket: Socket;
  private readonly how: HowToConnect;
  private readonly closed: Promise<void>;

  constructor(socket: Socket, how: HowToConnect) {
    this.socket = socket;
    this.how = how;
    socket.on('data', (bytes: Buffer) => this.hear(bytes));
    socket.on('error', (error) => this.end(unreachable(how.path, error.message)));
    socket.on('end', () => {
      this.end(unreachable(how.path, 'it closed the connection'));
      socket.end();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.end(unreachable(how.path, 'the connection is closed'));
        if (this.timer) clearTimeout(this.timer);
        this.letSignalsPass();
        how.onEnd?.();
        resolve();
      });
    });
  }

  isOpen(): boolean {
    return !this.over && !this.ended;
  }

  ask({ type, path, data = Buffer.alloc(0) }: Ask): Promise<Replies> {
    return new Promise((settle) => {
      if (this.over || this.ended) return settle(err(this.over ?? unreachable(this.how.path, 'it is closed already')));
      this.queue.push({ type, path, bytes: encode(type, path, data), settle });
      // All that is asked in one go leaves in one write.
      if (this.queue.length === 1) queueMicrotask(() => this.send());
    });
  }

  close(): Promise<void> {
    if (!this.ended) {
      this.ended = true;
      this.socket.ref();
      this.socket.end();
      this.restartTimer();
    }
    return this.closed;
  }

  private send(): void {
    if (this.over) return;
    const batch = this.queue.splice(0, WINDOW - this.sent.length);
    if (batch.length === 0) return;
    const isFirst = this.sent.length === 0;
    this.sent.push(...batch);
    if (isFirst) {
      if (!this.held) holdSignals();
      this.held = true;
      this.socket.ref();
      this.restartTimer();
    }
    this.socket.write(batch.length === 1 && batch[0] ? batch[0].bytes : Buffer.concat(batch.map(({ bytes }) => bytes)));
  }

  /** Nothing is owed: the process may end, and the connection with it. */
  private rest(): void {
    this.letSignalsPass();
    if (!this.ended) this.socket.unref();
  }

  private letSignalsPass(): void {
    if (this.held) releaseSignals();
    this.held = false;
  }

  private restartTimer(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = this.sent.length > 0 || this.ended ? setTimeout(() => this.lateAnswer(), this.how.timeoutMs) : null;
  }

  /** Once given up, the daemon gets the same time again to finish what it says; one that hangs longer is left. */
  private lateAnswer(): void {
    if (this.over && this.ended) this.socket.destroy();
    else this.giveUp(unreachable(this.how.path, `no answer within ${this.how.timeoutMs} ms`));
  }

  /** Whoever asked hears at once; the socket is read to its end, so that the daemon may say what it still has to say. */
  private giveUp(reason: Failure): void {
    this.end(reason);
    void this.close();
    this.restartTimer();
  }

  private end(reason: Failure): void {
    if (this.over) return;
    this.over = reason;
    const left = [...this.sent.splice(0), ...this.queue.splice(0)];
    for (const { settle } of left) settle(err(reason));
  }

  private hear(bytes: Buffer): void {
    if (this.over) return;
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    while (!this.over) {
      const decoded = decode(this.received);
      if (decoded.is === 'partial') break;
      if (decoded.is === 'garbled') {
        this.garbled(decoded.why);
        return;
      }
      this.received = decoded.rest;
      this.take(decoded.message);
    }
    if (this.over) return;
    this.restartTimer();
    this.send();
  }

  private garbled(why: string): void {
    const what = `what answers behind ${this.how.path} is no QubesDB daemon`;
    this.giveUp(failure('D_QUBESDB_GARBLED', what, { cause: why }));
  }

  private take(message: Message): void {
    if (message.type === REPLY.watch) {
      this.how.onWatch?.(message.path);
      return;
    }
    const [asked] = this.sent;
    this.size += message.data.length + message.path.length;
    if (!asked) this.garbled('an answer that nobody asked for');
    else if (this.size > LARGEST_ANSWER) this.garbled('an answer without end');
    else this.judge(asked, message);
  }

  private judge(asked: Waiting, message: Message): void {
    const progress = judgeReply(asked, message);
    if (progress.is === 'garbled') {
      this.garbled(progress.why);
      return;
    }
    this.replies.push(message);
    if (progress.is === 'more') return;
    const replies = this.replies;
    this.replies = [];
    this.size = 0;
    this.sent.shift();
    if (this.sent.length === 0) this.rest();
    if (progress.is === 'refused')
      asked.settle(err(failure('D_QUBESDB_REFUSED', `QubesDB refused ${JSON.stringify(asked.path)}`)));
    else asked.settle(ok(progress.is === 'missing' ? null : replies));
  }
}

/** Connects; D_QUBESDB_UNREACHABLE where nobody listens. */
export const openConnection = (how: HowToConnect): Promise<Result<Connection, Failure>> =>
  new Promise((resolve) => {
    const socket = connect({ path: how.path, allowHalfOpen: true });
    const late = setTimeout(() => {
      socket.destroy();
      resolve(err(unreachable(how.path, `no connection within ${how.timeoutMs} ms`)));
    }, how.timeoutMs);
    const refused = (error: Error): void => {
      clearTimeout(late);
      resolve(err(unreachable(how.path, error.message)));
    };
    socket.once('error', refused);
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', refused);
      socket.unref();
      resolve(ok(new Line(socket, how)));
    });
  });
