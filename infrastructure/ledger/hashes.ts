import { hash } from 'node:crypto';

/** Everything an event's hash binds; `dataHash` stands for the data, so that redacted data can leave without breaking the chain. */
export type EventPreimage = {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly command: string;
  readonly time: number;
};

export const GENESIS = '0'.repeat(64);

export const sha256 = (text: string): string => hash('sha256', text);

/** One field a line: no field can hold a line feed, so no two events have the same preimage. docs/format.md */
export const eventHash = (previous: string, event: EventPreimage, dataHash: string): string =>
  sha256(
    `domtrail/event/1\n${previous}\n${event.position}\n${event.stream}\n${event.version}\n${event.type}\n${event.schemaVersion}\n${event.command}\n${event.time}\n${dataHash}\n`,
  );

export type CommandPreimage = {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly schemaVersion: number;
  readonly payloadHash: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly context: string;
  readonly receivedAt: number;
};

/** Actor and context hold no line feed; the reason is free text and goes in as its own hash, so that none in it can move a border between fields. docs/format.md */
export const commandDigest = (command: CommandPreimage): string =>
  sha256(
    `domtrail/command/1\n${command.seq}\n${command.id}\n${command.name}\n${command.schemaVersion}\n${command.payloadHash}\n${command.actor}\n${command.reason === null ? '-' : sha256(command.reason)}\n${command.context}\n${command.receivedAt}\n`,
  );
