/** The MDA: a message on its last step, into the mailbox of one account. */

import { type ReversePath, formatPath } from '#base/address.ts';
import { concat } from '#base/bytes.ts';
import type { AccountId } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import type { Work } from '#base/turns.ts';
import { type HeadFacts, headFacts } from '#message/facts.ts';
import type { Head } from '#message/fields.ts';
import type { Part } from '#message/part.ts';
import { readStructure } from '#message/scanner.ts';
import { encodeParts, shiftPart } from '#message/tree.ts';
import { formatBodyStructure } from '#protocol/imap/format/body-structure.ts';
import { formatEnvelope } from '#protocol/imap/format/envelope.ts';
import type { Content, MessageFacts } from '#store/content.ts';
import type { Delivery } from '#store/operations.ts';

/** A message whose structure is known already (it was read as it came), or is still to be read. */
export interface Structured {
  readonly content: Content;
  /** Offsets count from the first octet of `content`. */
  readonly structure: Outline | undefined;
}

/** What of a structure is needed here; offsets in `head` do not matter. */
export interface Outline {
  readonly root: Part;
  readonly head: Head;
}

/** Everything IMAP and search need to know of a message, the same for all its recipients. */
export interface Described {
  readonly content: Content;
  readonly root: Part;
  readonly facts: Omit<MessageFacts, 'parts'>;
  /** The tree of parts by how much each recipient's head is longer. */
  readonly parts: Map<number, string>;
}

/** A head of so few octets is no long work. */
const FEW_BYTES = 8_192;

/** Computes it once, in steps: a hostile message makes each of them long. */
export function* describe({ content, structure }: Structured): Work<Described> {
  const { root, head } = structure ?? readStructure(inMemory(content));
  invariant(root.envelope !== undefined, 'the root of a message has its envelope');
  const isLong = root.headBytes > FEW_BYTES || root.children.length > 0;
  if (isLong) yield;
  const said: HeadFacts = headFacts(head);
  if (isLong) yield;
  const envelope = formatEnvelope(root.envelope);
  if (isLong) yield;
  const bodyStructure = formatBodyStructure(root);
  if (isLong) yield;
  return { content, root, facts: { ...said, envelope, bodyStructure }, parts: new Map() };
}

/** The mailbox row of one local recipient: its own Return-Path and Delivered-To on top. */
export function deliver(
  message: Described,
  to: { readonly account: AccountId; readonly mailbox: string; readonly address: string },
  reversePath: ReversePath,
  atMs: number,
): Delivery {
  // RFC 5321 4.4: the final delivery adds Return-Path; RFC 9228: Delivered-To says to whom.
  const lines = `Return-Path: ${formatPath(reversePath)}\r\nDelivered-To: ${to.address}\r\n`;
  const top = Buffer.from(lines, 'utf8');
  const { head, body } = message.content;
  return {
    account: to.account,
    mailbox: to.mailbox,
    flags: [],
    internalDateMs: atMs,
    content: { head: concat([top, head]), body },
    facts: factsUnder(message, top.length),
  };
}

/** The facts of the message as it is: nobody is its recipient. */
export function factsOf(message: Described): MessageFacts {
  return factsUnder(message, 0);
}

function factsUnder({ root, facts, parts }: Described, moreBytes: number): MessageFacts {
  let tree = parts.get(moreBytes);
  if (tree === undefined) {
    tree = encodeParts(shiftPart(root, moreBytes));
    parts.set(moreBytes, tree);
  }
  return { ...facts, parts: tree };
}

/** A spooled body is never read back here: its structure came with it. */
function inMemory({ head, body }: Content): readonly Uint8Array[] {
  invariant(body instanceof Uint8Array, 'a spooled body brings its structure');
  return [head, body];
}
