import { ASK, type AskType, type Message, REPLY } from './message.ts';

/** A request on its way, and what its answer must look like. */
export type Asked = { readonly type: AskType; readonly path: string };

/** How a message moves an expectation on. */
type Progress =
  | { readonly is: 'more' }
  | { readonly is: 'answered' }
  /** the daemon says that there is no such key */
  | { readonly is: 'missing' }
  | { readonly is: 'refused' }
  | { readonly is: 'garbled'; readonly why: string };

const DONE: Progress = { is: 'answered' };

const garbled = ({ type, path }: Message): Progress => ({
  is: 'garbled',
  why: `a reply of type ${type} for ${JSON.stringify(path)} to another question`,
});

/** A list ends with a reply without path and data; every reply before it is about a key with the prefix. */
const inList = (asked: Asked, message: Message): Progress => {
  if (message.path === '') return message.data.length === 0 ? DONE : garbled(message);
  return message.path.startsWith(asked.path) ? { is: 'more' } : garbled(message);
};

/** Judges the next reply to a request. Replies come in the order of the requests, so there is only one it can be for. */
export const judgeReply = (asked: Asked, message: Message): Progress => {
  const { type, path } = message;
  if (asked.type === ASK.multiread && type === REPLY.multiread) return inList(asked, message);
  if (asked.type === ASK.list && type === REPLY.list) return inList(asked, message);
  if (path !== asked.path) return garbled(message);
  if (type === REPLY.error) return { is: 'refused' };
  if (type === REPLY.noEntry) return { is: 'missing' };
  if (asked.type === ASK.read) return type === REPLY.read ? DONE : garbled(message);
  const isPlain = asked.type !== ASK.multiread && asked.type !== ASK.list;
  return isPlain && type === REPLY.ok ? DONE : garbled(message);
};
