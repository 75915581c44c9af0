/** The MTA on the way in: what a stranger's message must be, and the trace it gets. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import { HEAD_FIELDS, HOPS } from '#base/limits.ts';
import { editHead } from '#message/edit.ts';
import type { FieldText } from '#message/field-text.ts';
import { type Head, allFields, countFields, firstField } from '#message/fields.ts';
import { parseMessageId } from '#message/ids.ts';
import { withHead, withTrace } from '#message/tree.ts';
import type { ClientFacts } from '#policy/gate.ts';
import { type Reply, reply } from '#protocol/smtp/reply.ts';
import type { Content } from '#store/content.ts';
import type { Arrived } from './arrival.ts';
import type { Outline } from './mda.ts';
import { type TraceFacts, formatReceived } from './trace.ts';

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

/** Judges a message that came from outside and puts Received on top; changes nothing else. */
export function receive(arrived: Arrived, facts: MailFacts): Judged {
  const { head } = arrived.structure;
  const refused = refuseHead(head, facts.hostname);
  if (refused !== undefined) return refused;
  const { address, helo } = facts.client;
  const newHead = editHead(arrived.content.head, {
    front: [receivedFor(facts, { address, helo })],
  });
  return ready(arrived, newHead, { messageId: messageIdOf(head), facts: {}, onlyTrace: true });
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
