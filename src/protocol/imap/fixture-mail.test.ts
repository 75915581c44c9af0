/** A mail store in memory for tests: what the engine promises, in a hundred lines. */

import type { AccountId, ContentId, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { messageFacts } from '#message/facts.ts';
import { readStructure } from '#message/scanner.ts';
import type { Mailbox, MessageDetail, SpecialUse, UidRanges } from '#store/mail.ts';
import { formatBodyStructure } from './format/body-structure.ts';
import { formatEnvelope } from './format/envelope.ts';
import { inRanges } from './syntax/number-set.ts';

export interface StoredMessage extends MessageDetail {
  readonly octets: Uint8Array;
}

export interface Box {
  readonly id: MailboxId;
  name: string;
  readonly uidValidity: number;
  uidNext: number;
  specialUse: SpecialUse | undefined;
  messages: StoredMessage[];
  expunged: StoredMessage[];
  vanished: { readonly uid: Uid; readonly modSeq: ModSeq }[];
  modSeq: number;
  watchers: Set<() => void>;
}

/** One account's mail. */
export class MemoryMail {
  readonly boxes = new Map<string, Box>();
  readonly subscriptions = new Set<string>();
  #ids = 0;
  #contents = 0;

  constructor() {
    this.create('INBOX');
  }

  create(name: string, specialUse?: SpecialUse): Box {
    const at = name.lastIndexOf('/');
    if (at > 0 && !this.boxes.has(name.slice(0, at))) this.create(name.slice(0, at));
    this.#ids++;
    const box: Box = {
      id: this.#ids as MailboxId,
      name,
      uidValidity: 1_000 + this.#ids,
      uidNext: 1,
      specialUse,
      messages: [],
      expunged: [],
      vanished: [],
      modSeq: 1,
      watchers: new Set(),
    };
    this.boxes.set(name, box);
    return box;
  }

  byId(id: MailboxId): Box | undefined {
    return [...this.boxes.values()].find((box) => box.id === id);
  }

  /** Adds a message as text with LF or CRLF line ends. */
  deliver(name: string, text: string | Uint8Array, flags: readonly string[] = []): StoredMessage {
    const octets = typeof text === 'string' ? utf8(text.replace(/\r?\n/g, '\r\n')) : text;
    return this.add(this.box(name), octets, flags, Date.UTC(2026, 10, 22, 5, 4, 3));
  }

  add(box: Box, octets: Uint8Array, flags: readonly string[], dateMs: number): StoredMessage {
    const { root, head } = readStructure([octets]);
    const facts = messageFacts(head, root);
    const message: StoredMessage = {
      mailbox: box.id,
      uid: box.uidNext as Uid,
      modSeq: ++box.modSeq as ModSeq,
      flags,
      internalDateMs: dateMs,
      savedMs: dateMs,
      sizeBytes: octets.length,
      headBytes: root.headBytes,
      content: ++this.#contents as ContentId,
      emailId: 'E',
      threadId: 'T',
      octets,
      envelope: latin1(formatEnvelope(root.envelope ?? EMPTY)),
      bodyStructure: latin1(formatBodyStructure(root)),
      parts: facts.parts,
      search: facts,
    };
    box.uidNext++;
    box.messages.push(message);
    this.changed(box);
    return message;
  }

  box(name: string): Box {
    const box = this.boxes.get(name);
    if (box === undefined) throw new Error(`no mailbox ${name}`);
    return box;
  }

  setFlags(box: Box, uid: number, flags: readonly string[]): StoredMessage | undefined {
    const at = box.messages.findIndex((message) => message.uid === uid);
    const old = box.messages[at];
    if (old === undefined) return undefined;
    const changed = { ...old, flags, modSeq: ++box.modSeq as ModSeq };
    box.messages[at] = changed;
    this.changed(box);
    return changed;
  }

  expunge(box: Box, uids: UidRanges | undefined, onlyDeleted: boolean): readonly Uid[] {
    const goes = (message: StoredMessage): boolean =>
      (uids === undefined || inRanges(uids, message.uid)) &&
      (!onlyDeleted || message.flags.includes('\\Deleted'));
    const gone = box.messages.filter(goes);
    if (gone.length === 0) return [];
    box.modSeq++;
    box.messages = box.messages.filter((message) => !goes(message));
    box.expunged.push(...gone);
    for (const { uid } of gone) box.vanished.push({ uid, modSeq: box.modSeq as ModSeq });
    this.changed(box);
    return gone.map((message) => message.uid);
  }

  changed(box: Box): void {
    for (const watcher of Array.from(box.watchers)) watcher();
  }

  row(box: Box): Mailbox {
    const without = (flag: string): number =>
      box.messages.filter((message) => !message.flags.includes(flag)).length;
    return {
      id: box.id,
      account: 7 as AccountId,
      name: box.name,
      uidValidity: box.uidValidity,
      uidNext: box.uidNext,
      highestModSeq: box.modSeq as ModSeq,
      specialUse: box.specialUse,
      objectId: `M${box.id}`,
      messages: box.messages.length,
      unseen: without('\\Seen'),
      deleted: box.messages.length - without('\\Deleted'),
      sizeBytes: box.messages.reduce((sum, message) => sum + message.sizeBytes, 0),
    };
  }

  /** All text of a mailbox, for assertions. */
  texts(name: string): readonly string[] {
    return this.box(name).messages.map((message) => latin1(message.octets));
  }
}

const EMPTY = {
  date: undefined,
  subject: undefined,
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  inReplyTo: undefined,
  messageId: undefined,
};
