/** What the notice tests share: facts to start from, and a notice read back as a stranger would. */

import { latin1, utf8 } from '#base/bytes.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import { decodeTransfer } from '#message/transfer.ts';
import { type Field, readHead } from '#message/fields.ts';
import type { Part } from '#message/part.ts';
import { readStructure } from '#message/scanner.ts';
import { concat } from '#base/bytes.ts';
import type { NewMail } from '../mail.ts';
import type { NoticeFacts, NoticeRecipient } from './facts.ts';
import { buildNotice } from './notice.ts';

export const ARRIVED_MS = Date.UTC(2026, 10, 22, 5, 0, 0);

export const HEAD = [
  'Received: from mail.example.org by demo.test; Sun, 22 Nov 2026 05:00:00 +0000',
  'From: Alice <alice@demo.test>',
  'To: bob@far.test',
  'Bcc: secret@hidden.test,',
  ' more@hidden.test',
  'Subject: Lunch on Friday?',
  'Message-ID: <one@demo.test>',
  '',
  '',
].join('\r\n');

export const BODY = "How about one o'clock?\r\n";

/** A recipient that was refused, changed as told. */
export function recipient(change: Partial<NoticeRecipient> = {}): NoticeRecipient {
  return {
    address: 'bob@far.test',
    originalRecipient: undefined,
    status: '5.1.1',
    reply: {
      code: 550,
      enhanced: '5.1.1',
      lines: ['No mailbox here by that name.', 'See https://far.test/help'],
    },
    host: 'mx.far.test [192.0.2.1]:25',
    reason: 'the server refused the recipient',
    expired: false,
    lastAttemptMs: ARRIVED_MS + 2_000,
    retryUntilMs: undefined,
    ...change,
  };
}

/** Facts of a failure, changed as told. */
export function facts(
  change: Partial<Omit<NoticeFacts, 'mail'>> & {
    readonly envelope?: Partial<NoticeFacts['mail']['envelope']>;
  } = {},
): NoticeFacts {
  const { envelope, ...rest } = change;
  return {
    kind: 'failed',
    mail: {
      id: 'Q1' as QueueId,
      envelope: {
        reversePath: 'alice@demo.test',
        ret: undefined,
        envelopeId: undefined,
        smtpUtf8: false,
        body: '7bit',
        ...envelope,
      },
      acceptedMs: ARRIVED_MS,
    },
    recipients: [recipient()],
    original: { head: utf8(HEAD), cut: false, body: utf8(BODY) },
    nowMs: ARRIVED_MS + 3_000,
    ...rest,
  };
}

export interface ReadNotice {
  readonly mail: NewMail;
  /** The whole message, octets as latin1. */
  readonly text: string;
  readonly root: Part;
  readonly fields: readonly Field[];
  readonly head: ReadonlyMap<string, string>;
  /** The first part, decoded. */
  readonly letter: string;
  /** The blocks of the second part, names in lower case. */
  readonly blocks: readonly (readonly Field[])[];
  /** The third part, decoded, octets as latin1. */
  readonly returned: string | undefined;
}

/** Builds the notice and reads it back with the reader of messages. */
export function noticeOf(given: NoticeFacts): ReadNotice {
  const mail = buildNotice(given, {
    id: 'N1' as QueueId,
    myhostname: 'mail.demo.test' as Domain,
    random: new Uint8Array(18).fill(7),
  });
  invariant(mail !== undefined, 'a notice was built');
  return readNotice(mail);
}

export function readNotice(mail: NewMail): ReadNotice {
  const { head, body } = mail.content;
  invariant(body instanceof Uint8Array, 'a notice is small');
  const octets = concat([head, body]);
  const { root, head: fields } = readStructure(octets);
  const decoded = root.children.map((part) => {
    const bytes = octets.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
    return decodeTransfer(part.encoding, bytes).bytes;
  });
  const [letter, status, returned] = decoded;
  invariant(letter !== undefined && status !== undefined, 'a report has two parts or three');
  return {
    mail,
    text: latin1(octets),
    root,
    fields: fields.fields,
    head: new Map(fields.fields.map(({ key, value }) => [key, value])),
    letter: new TextDecoder().decode(letter),
    blocks: blocksOf(status),
    returned: returned === undefined ? undefined : latin1(returned),
  };
}

/** The value of a field in a block; undefined when it is not there. */
export function valueIn(block: readonly Field[] | undefined, name: string): string | undefined {
  const found = block?.find(({ key }) => key === name.toLowerCase());
  return found === undefined ? undefined : Buffer.from(found.value, 'latin1').toString();
}

function blocksOf(status: Uint8Array): Field[][] {
  const blocks: Field[][] = [];
  for (let rest = status; rest.length > 0;) {
    const { fields, headBytes } = readHead(rest);
    if (fields.length > 0) blocks.push([...fields]);
    rest = rest.subarray(Math.max(1, headBytes));
  }
  return blocks;
}
