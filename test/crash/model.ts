/** What a tree of mailboxes must look like after each IMAP step, to be held against what is there. */

import type { Box } from './world.ts';

export interface ModelMessage {
  /** Undefined: given by the server, and not seen yet. */
  readonly uid: number | undefined;
  readonly id: string;
  /** Sorted, with a space between them. */
  readonly flags: string;
}

export interface ModelBox {
  /** Undefined for a mailbox that was just made. */
  readonly uidValidity: number | undefined;
  readonly messages: readonly ModelMessage[];
}

export type Model = ReadonlyMap<string, ModelBox>;

/** The model of what is there. */
export function modelOf(boxes: readonly Box[]): Model {
  return new Map(
    boxes.map(({ name, uidValidity, messages }) => [
      name,
      { uidValidity, messages: messages.map(({ uid, id, flags }) => ({ uid, id, flags })) },
    ]),
  );
}

/** Why the boxes are not what the model says; undefined: they are. */
export function fits(model: Model, boxes: readonly Box[]): string | undefined {
  const names = new Set(boxes.map(({ name }) => name));
  for (const name of model.keys()) if (!names.has(name)) return `${name} is missing`;
  for (const box of boxes) {
    const expected = model.get(box.name);
    if (expected === undefined) return `${box.name} should not be there`;
    const reason = fitsBox(expected, box);
    if (reason !== undefined) return `${box.name}: ${reason}`;
  }
  return undefined;
}

function fitsBox(expected: ModelBox, box: Box): string | undefined {
  if (expected.uidValidity !== undefined && expected.uidValidity !== box.uidValidity) {
    return `UIDVALIDITY ${box.uidValidity} instead of ${expected.uidValidity}`;
  }
  if (expected.messages.length !== box.messages.length) {
    return `${box.messages.length} messages instead of ${expected.messages.length}`;
  }
  // New messages have the highest UIDs, so both lists are in the same order.
  for (const [at, message] of box.messages.entries()) {
    const { uid, id, flags } = expected.messages[at]!;
    if (id !== message.id) return `message ${at + 1} is ${message.id} instead of ${id}`;
    if (uid !== undefined && uid !== message.uid) return `${id} has UID ${message.uid}, not ${uid}`;
    if (flags !== message.flags) return `${id} has flags "${message.flags}", not "${flags}"`;
  }
  return undefined;
}

/** The same tree with one mailbox changed. */
function withBox(
  model: Model,
  name: string,
  change: (messages: readonly ModelMessage[]) => readonly ModelMessage[],
): Model {
  const box = model.get(name);
  if (box === undefined) throw new Error(`no mailbox ${name}`);
  return new Map(model).set(name, { ...box, messages: change(box.messages) });
}

export function appended(name: string, id: string, flags = ''): (model: Model) => Model {
  return (model) =>
    withBox(model, name, (messages) => [...messages, { uid: undefined, id, flags }]);
}

/** Sets or clears a flag of all messages. */
export function flagged(name: string, flag: string, isSet: boolean): (model: Model) => Model {
  return (model) =>
    withBox(model, name, (messages) =>
      messages.map((message) => {
        const flags = new Set(message.flags.split(' ').filter((word) => word !== ''));
        if (isSet) flags.add(flag);
        else flags.delete(flag);
        return { ...message, flags: [...flags].sort().join(' ') };
      }),
    );
}

/** The first messages of one mailbox, copied to another. */
export function copied(from: string, to: string, first: number): (model: Model) => Model {
  return (model) => {
    const copies = (model.get(from)?.messages ?? []).slice(0, first);
    return withBox(model, to, (messages) => [
      ...messages,
      ...copies.map((message) => ({ ...message, uid: undefined })),
    ]);
  };
}

/** Copied, and gone where they were. */
export function moved(from: string, to: string, first: number): (model: Model) => Model {
  return (model) => removed(from, first)(copied(from, to, first)(model));
}

/** The first messages, gone. */
export function removed(name: string, first: number): (model: Model) => Model {
  return (model) => withBox(model, name, (messages) => messages.slice(first));
}

/** The deleted ones, gone. */
export function expunged(name: string): (model: Model) => Model {
  return (model) =>
    withBox(model, name, (messages) =>
      messages.filter(({ flags }) => !flags.split(' ').includes('\\Deleted')),
    );
}

export function created(name: string): (model: Model) => Model {
  return (model) => new Map(model).set(name, { uidValidity: undefined, messages: [] });
}

export function deleted(name: string): (model: Model) => Model {
  return (model) => new Map([...model].filter(([other]) => other !== name));
}

export function renamed(from: string, to: string): (model: Model) => Model {
  return (model) => new Map([...model].map(([name, box]) => [name === from ? to : name, box]));
}
