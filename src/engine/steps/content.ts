/** Contents: stored once for all rows that share them, counted, and freed an hour after the last. */

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '#base/failure.ts';
import type { Content, MessageFacts, SpooledBody } from '#store/content.ts';
import { BLOCK_BYTES, BlockChecks, checkNumber } from '../checks.ts';
import { refer } from './references.ts';
import type { Step } from './step.ts';

/** A body file with the check numbers of its blocks, which the spool counted while writing. */
export interface CheckedBody extends SpooledBody {
  readonly checks?: Uint8Array;
}

export interface StoredContent {
  readonly id: number;
  readonly sizeBytes: number;
  readonly headBytes: number;
}

interface Known {
  readonly body: Content['body'];
  readonly facts: MessageFacts | undefined;
  readonly content: StoredContent;
}

const INSERT = `INSERT INTO contents (size_bytes, head_bytes, checked, head_checked, file, head,
  sent_ms, subject, sender, recipient, copied, blind, envelope, body_structure, parts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_PLAIN = `INSERT INTO contents (size_bytes, head_bytes, checked, head_checked, file, head)
  VALUES (?, ?, ?, ?, ?, ?)`;

/** The contents of one operation: equal ones become one row with several references. */
export class ContentWriter {
  readonly #step: Step;
  readonly #stored = new Map<Uint8Array, Known>();

  constructor(step: Step) {
    this.#step = step;
  }

  /** A reference to the content for one row; stores it unless this operation already did. */
  take(content: Content, facts: MessageFacts | undefined): StoredContent {
    const known = this.#stored.get(content.head);
    if (known !== undefined && known.body === content.body && known.facts === facts) {
      refer(this.#step, known.content.id);
      return known.content;
    }
    const stored = storeContent(this.#step, content, facts);
    this.#stored.set(content.head, { body: content.body, facts, content: stored });
    return stored;
  }
}

function storeContent(
  step: Step,
  content: Content,
  facts: MessageFacts | undefined,
): StoredContent {
  const { head, body } = content;
  const isInline = body instanceof Uint8Array;
  const file = isInline ? null : storeFile(step, body);
  const sizeBytes = head.length + (isInline ? body.length : body.sizeBytes);
  const headChecked = checkNumber(head);
  const checked = isInline ? checkNumber(body, headChecked) : headChecked;
  const id =
    facts === undefined
      ? step.sql.insert(INSERT_PLAIN, sizeBytes, head.length, checked, headChecked, file, head)
      : step.sql.insert(
          INSERT,
          sizeBytes,
          head.length,
          checked,
          headChecked,
          file,
          head,
          facts.sentMs ?? null,
          facts.subject,
          facts.from,
          facts.to,
          facts.cc,
          facts.bcc,
          facts.envelope,
          facts.bodyStructure,
          facts.parts,
        );
  if (isInline && body.length > 0) {
    step.sql.run('INSERT INTO octets (content, bytes) VALUES (?, ?)', id, body);
  }
  return { id, sizeBytes, headBytes: head.length };
}

/** The row of a body file; the file must be there, whole, before a row may name it. */
function storeFile(step: Step, body: CheckedBody): number {
  const path = join(step.spool, body.name);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (body.name.includes('/') || stats === undefined || stats.size !== body.sizeBytes) {
    throw Failure.temporary('spool-missing', `the spooled body ${body.name} is gone`);
  }
  const known = step.sql.row<[number]>(
    'UPDATE files SET refs = refs + 1 WHERE name = ? RETURNING id',
    body.name,
  );
  if (known !== undefined) return known[0];
  return step.sql.insert(
    'INSERT INTO files (name, size_bytes, checks, refs) VALUES (?, ?, ?, 1)',
    body.name,
    body.sizeBytes,
    body.checks ?? checkFile(path),
  );
}

/** The check numbers of a file whose writer did not count them. */
function checkFile(path: string): Uint8Array {
  const checks = new BlockChecks();
  const block = new Uint8Array(BLOCK_BYTES);
  const descriptor = openSync(path, 'r');
  try {
    for (let size = 1; size > 0;) {
      size = readSync(descriptor, block);
      checks.add(block.subarray(0, size));
    }
  } finally {
    closeSync(descriptor);
  }
  return checks.finish();
}
