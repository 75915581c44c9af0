/** The MTA on the way in: what a stranger's message must be, and the trace it gets. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { visible } from '#base/bytes.ts';
import type { JsonObject } from '#base/json.ts';
import { HEAD_FIELDS, HOPS } from '#base/limits.ts';
import { editHead } from '#message/edit.ts';
import type { FieldText } from '#message/field-text.ts';
import { type Head, allFields, countFields, firstField } from '#message/fields.ts';
import { parseMessageId } from '#message/ids.ts';
import { withHead, withTrace } from '#message/tree.ts';
import type { ClientFacts } from '#policy/gate.ts';
import { type Reply, reply } from '#protocol/smtp/reply.ts';
import { removeForged } from '#trust/results/ours.ts';
import type { Content } from '#store/content.ts';
import type { Arrived } from './arrival.ts';
import type { Outline } from './mda.ts';
import { type TraceFacts, formatReceived } from './trace.ts';
import type { Verified } from './verify/transaction.ts';

export interface MailFacts {
  readonly id: QueueId;
  readonly atMs: number;
  readonly hostname: Domain;
  readonly client: ClientFacts;
  readonly protocol: TraceFacts['protocol'];
  readonly reversePath: ReversePath;
  readonly smtpUtf8: boolean;
  readonly onlyRecipient: Address | undefined;
}

/** An agent's word on a message: complete and ready for intake, or refused with the rule. */
export type Judged =
  | {
      readonly kind: 'ready';
      readonly content: Content;
      readonly structure: Outline;
      readonly messageId: string | undefined;
      readonly facts: JsonObject;
    }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly rule: string; readonly why: string };

/** Twice through this host is forwarding; this often is a loop. */
const OWN_HOPS = 5;
const SHOWN_FIELDS = 10;

/**
 * Judges a message that came from outside: results that claim to be ours go, Received is put on
 * top, and above it what we found out ourselves; nothing else changes.
 */
export function receive(arrived: Arrived, facts: MailFacts, verified?: Verified): Judged {
  const { head } = arrived.structure;
  const refused = refuseHead(head, facts.hostname) ?? refuseUnusable(verified);
  if (refused !== undefined) return refused;
  const { address, helo } = facts.client;
  const clean = withoutForged(arrived.content.head, head, facts);
  const newHead = editHead(clean.head, {
    front: [
      ...(verified?.fields ?? []),
      receivedFor(facts, { address, helo, name: verified?.clientName }),
    ],
  });
  const messageId = messageIdOf(head);
  return ready(arrived, newHead, { messageId, facts: clean.facts, onlyTrace: true });
}

/**
 * RFC 8601 5: Authentication-Results with our id that we did not write go. What comes by LMTP
 * comes from our own border, which may use that id.
 */
export function withoutForged(
  octets: Uint8Array,
  head: Head,
  { hostname, protocol }: MailFacts,
): { readonly head: Uint8Array; readonly facts: JsonObject } {
  if (protocol === 'lmtp') return { head: octets, facts: {} };
  const { head: clean, removed } = removeForged(octets, [hostname], head);
  if (removed.length === 0) return { head: clean, facts: {} };
  const shown = removed.slice(0, SHOWN_FIELDS).map(({ value }) => visible(value));
  return { head: clean, facts: { forgedResults: shown } };
}

/** A message without one author is refused: each program would show another one. */
function refuseUnusable(verified: Verified | undefined): (Judged & { kind: 'refuse' }) | undefined {
  const why = verified?.unusableAuthor;
  if (why === undefined) return undefined;
  return refuse('5.6.0', 'reject_unusable_from', `nobody can say who the author is: ${why}`);
}

/** The trace field of either agent. */
export function receivedFor(facts: MailFacts, client: TraceFacts['client']): FieldText {
  return formatReceived({
    client,
    hostname: facts.hostname,
    id: facts.id,
    atMs: facts.atMs,
    secure: facts.client.secure,
    protocol: facts.protocol,
    authenticated: facts.client.login !== undefined,
    smtpUtf8: facts.smtpUtf8,
    recipient: facts.onlyRecipient,
  });
}

/** The message under its new head; `onlyTrace`: nothing but trace fields is other than before. */
export function ready(
  arrived: Arrived,
  newHead: Uint8Array,
  more: {
    readonly messageId: string | undefined;
    readonly facts: JsonObject;
    readonly onlyTrace?: boolean;
  },
): Judged & { kind: 'ready' } {
  const { content, structure, sizeBytes } = arrived;
  const deltaBytes = newHead.length - content.head.length;
  return {
    kind: 'ready',
    content: { head: newHead, body: content.body },
    structure:
      more.onlyTrace === true ? withTrace(structure, deltaBytes) : withHead(structure, newHead),
    messageId: more.messageId,
    facts: { bytes: sizeBytes, ...more.facts },
  };
}

/** What no header may be, whoever sends it. */
export function refuseHead(
  head: Head,
  hostname: Domain,
): (Judged & { kind: 'refuse' }) | undefined {
  return refuseCrowd(head) ?? refuseLoop(head, hostname) ?? refuseDoubles(head);
}

function refuseCrowd({ fields }: Head): (Judged & { kind: 'refuse' }) | undefined {
  if (fields.length <= HEAD_FIELDS) return undefined;
  const why = `the header has more fields than the ${HEAD_FIELDS} that this server keeps`;
  return refuse('5.3.4', 'reject_header_fields', why);
}

/** Two authors, or two dates, are two stories: one program shows the first, another the last. */
function refuseDoubles(head: Head): (Judged & { kind: 'refuse' }) | undefined {
  for (const name of ['From', 'Sender', 'Date']) {
    const count = countFields(head, name);
    if (count > 1) {
      const why = `the header has ${count} ${name} fields; RFC 5322 3.6 allows one`;
      return refuse('5.6.0', 'reject_duplicate_header', why);
    }
  }
  return undefined;
}

/** RFC 5321 6.3: counts every hop, and our own name among them. */
function refuseLoop(head: Head, hostname: Domain): (Judged & { kind: 'refuse' }) | undefined {
  const hops = allFields(head, 'Received');
  const own = hops.filter(({ value }) => byHost(value) === hostname).length;
  if (hops.length <= HOPS && own <= OWN_HOPS) return undefined;
  const why = `mail loop: ${hops.length} hops, ${own} of them through ${hostname}`;
  return refuse('5.4.6', 'reject_mail_loop', why);
}

const CODES = new Map([
  ['5.4.6', 554],
  ['5.3.4', 552],
]);

export function refuse(status: string, rule: string, why: string): Judged & { kind: 'refuse' } {
  const text = `${why.charAt(0).toUpperCase()}${why.slice(1)}`;
  return { kind: 'refuse', reply: reply(CODES.get(status) ?? 550, status, text), rule, why };
}

/** The Message-ID field without brackets. */
export function messageIdOf(head: Head): string | undefined {
  const field = firstField(head, 'Message-ID');
  return field === undefined ? undefined : parseMessageId(field.value);
}

/** The host that wrote a Received field, in the form we compare. */
function byHost(received: string): string | undefined {
  return /(?:^|\s)by\s+([^\s;()]+)/i.exec(received)?.[1]?.toLowerCase();
}
