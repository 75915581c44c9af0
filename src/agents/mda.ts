/** The MDA: a message on its last step, into the mailbox of one account. */

import { type ReversePath, formatPath } from '#base/address.ts';
import { concat, utf8 } from '#base/bytes.ts';
import type { AccountId } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import { messageFacts } from '#message/facts.ts';
import type { Part } from '#message/part.ts';
import { readStructure } from '#message/scanner.ts';
import { shiftPart } from '#message/tree.ts';
import { formatBodyStructure } from '#protocol/imap/format/body-structure.ts';
import { formatEnvelope } from '#protocol/imap/format/envelope.ts';
import type { Content, MessageFacts } from '#store/content.ts';
import type { Delivery } from '#store/operations.ts';

/** A message whose structure is known already (it was spooled), or is still to be read. */
export interface Structured {
  readonly content: Content;
  /** Offsets count from the first octet of `content`. */
  readonly root: Part | undefined;
}

/** With its structure read, so that many recipients do not cost that many readings. */
export function structured({ content, root }: Structured): Structured {
  return { content, root: root ?? readStructure(inMemory(content)).root };
}

/** The mailbox row of one local recipient: its own Return-Path and Delivered-To on top. */
export function deliver(
  message: Structured,
  to: { readonly account: AccountId; readonly mailbox: string; readonly address: string },
  reversePath: ReversePath,
  atMs: number,
): Delivery {
  // RFC 5321 4.4: the final delivery adds Return-Path; RFC 9228: Delivered-To says to whom.
  const top = utf8(`Return-Path: ${formatPath(reversePath)}\r\nDelivered-To: ${to.address}\r\n`);
  const content: Content = {
    head: concat([top, message.content.head]),
    body: message.content.body,
  };
  const root = message.root === undefined ? undefined : shiftPart(message.root, top.length);
  return {
    account: to.account,
    mailbox: to.mailbox,
    flags: [],
    internalDateMs: atMs,
    content,
    facts: factsOf({ content, root }),
  };
}

/** Everything IMAP and search need to know of a message, computed once. */
export function factsOf(message: Structured): MessageFacts {
  const { content } = message;
  const { root } = structured(message);
  invariant(root?.envelope !== undefined, 'the root of a message has its envelope');
  return {
    ...messageFacts(content.head, root),
    envelope: formatEnvelope(root.envelope),
    bodyStructure: formatBodyStructure(root),
  };
}

/** A spooled body is never read back here: its structure came with it. */
function inMemory({ head, body }: Content): readonly Uint8Array[] {
  invariant(body instanceof Uint8Array, 'a spooled body brings its structure');
  return [head, body];
}
