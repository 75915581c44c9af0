/** Trees of parts once read: moved when the head grows, and kept as compact text. */

import { Failure } from '#base/failure.ts';
import { envelopeOf } from './envelope.ts';
import { readHead } from './fields.ts';
import type { EnvelopeFields, FieldAddress, Part } from './part.ts';
import type { Structure } from './scanner.ts';

/** A part as JSON, in the order of `Part`; what is empty at the end is left out. */
type Row = readonly unknown[];
type Parameters = Part['parameters'];

const NO_PARAMETERS: Parameters = [];
const NO_LANGUAGES: readonly string[] = [];

/**
 * The tree of a message whose own head became `deltaBytes` longer (or shorter): the root still
 * begins where it began, its body and all parts inside move. Content fields are taken to be the
 * same. Iterative.
 */
export function shiftPart(root: Part, deltaBytes: number): Part {
  const headBytes = root.headBytes + deltaBytes;
  const moved = { ...root, headBytes, bodyStart: root.bodyStart + deltaBytes };
  return deltaBytes === 0 ? root : { ...moved, children: moveAll(root.children, deltaBytes) };
}

/**
 * The structure of the same body under a new head (fields put in front, added, replaced by
 * `editHead`): offsets moved, fields and envelope read anew. The Content fields must be as before.
 */
export function withHead(structure: Structure, newHead: Uint8Array): Structure {
  const head = readHead(newHead);
  // Not of what was given: behind an empty line that only LF ended there may be more.
  const deltaBytes = head.headBytes - structure.root.headBytes;
  const root = { ...shiftPart(structure.root, deltaBytes), envelope: envelopeOf(head) };
  const sizeBytes = structure.sizeBytes + deltaBytes;
  return { root, head, sizeBytes, defects: structure.defects };
}

/**
 * The same under a head `deltaBytes` longer that differs in trace fields alone: no envelope shows them, and no
 * search looks for them, so nothing is read again. Offsets of `head` are those of the old one.
 */
export function withTrace(structure: Structure, deltaBytes: number): Structure {
  const root = shiftPart(structure.root, deltaBytes);
  return { ...structure, root, sizeBytes: structure.sizeBytes + deltaBytes };
}

/** A tree as compact JSON; `decodeParts` gives an equal tree back. */
export function encodeParts(root: Part): string {
  return JSON.stringify(partRow(root));
}

/** The tree of `encodeParts`; a Failure (`damaged-parts`) for any other text. */
export function decodeParts(text: string): Part {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    throw Failure.permanent('damaged-parts', 'the tree of parts is no JSON', error);
  }
  return readPart(row);
}

/** All parts, each before its children, with their IMAP section names left to the caller. */
export function* walkParts(root: Part): Generator<Part> {
  const waiting: Part[] = [root];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    yield part;
    for (let at = part.children.length - 1; at >= 0; at--) {
      const child = part.children[at];
      if (child !== undefined) waiting.push(child);
    }
  }
}

function moveAll(parts: readonly Part[], deltaBytes: number): readonly Part[] {
  const moved = (part: Part): Part => ({
    ...part,
    headStart: part.headStart + deltaBytes,
    bodyStart: part.bodyStart + deltaBytes,
  });
  const top = parts.map(moved);
  const waiting: { children: readonly Part[] }[] = [...top];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.children.length === 0) continue;
    const children = part.children.map(moved);
    part.children = children;
    for (const child of children) waiting.push(child);
  }
  return top;
}

/** Recursive, as JSON is: the scanner's depth limit bounds both. */
function partRow(part: Part): Row {
  const { disposition, envelope, languages } = part;
  const row: unknown[] = [
    part.headStart,
    part.headBytes,
    part.bodyStart,
    part.bodyBytes,
    part.bodyLines,
    `${part.type}/${part.subtype}`,
    part.encoding,
    part.parameters.length === 0 ? part.parameters : part.parameters.flat(),
  ];
  const rest = [
    part.children.length === 0 ? undefined : part.children.map(partRow),
    envelope && envelopeRow(envelope),
    part.id,
    part.description,
    disposition && [disposition.value, ...disposition.parameters.flat()],
    languages.length === 0 ? undefined : languages,
    part.location,
    part.md5,
  ];
  let length = rest.length;
  while (length > 0 && rest[length - 1] === undefined) length -= 1;
  for (let at = 0; at < length; at += 1) row.push(rest[at] ?? null);
  return row;
}

function envelopeRow(envelope: EnvelopeFields): Row {
  const { from, sender, replyTo } = envelope;
  return [
    envelope.date ?? null,
    envelope.subject ?? null,
    addressRow(from),
    sender === from ? null : addressRow(sender),
    replyTo === from ? null : addressRow(replyTo),
    addressRow(envelope.to),
    addressRow(envelope.cc),
    addressRow(envelope.bcc),
    envelope.inReplyTo ?? null,
    envelope.messageId ?? null,
  ];
}

function addressRow(addresses: readonly FieldAddress[]): Row {
  const row: (string | null)[] = [];
  for (const { name, local, domain } of addresses) row.push(name ?? null, local, domain ?? null);
  return row;
}

function readPart(value: unknown): Part {
  const row = listOf(value);
  const media = textOf(row[5]);
  const slash = media.indexOf('/');
  const disposition = row[12] === undefined || row[12] === null ? undefined : listOf(row[12]);
  return {
    headStart: numberOf(row[0]),
    headBytes: numberOf(row[1]),
    bodyStart: numberOf(row[2]),
    bodyBytes: numberOf(row[3]),
    bodyLines: numberOf(row[4]),
    type: slash < 0 ? media : media.slice(0, slash),
    subtype: slash < 0 ? '' : media.slice(slash + 1),
    parameters: parametersOf(listOf(row[7])),
    id: optional(row[10]),
    description: optional(row[11]),
    encoding: textOf(row[6]),
    md5: optional(row[15]),
    disposition: disposition && {
      value: textOf(disposition[0]),
      parameters: parametersOf(disposition.slice(1)),
    },
    languages: row[13] === undefined ? NO_LANGUAGES : listOf(row[13] ?? []).map(textOf),
    location: optional(row[14]),
    children: row[8] === undefined ? [] : listOf(row[8] ?? []).map(readPart),
    envelope: row[9] === undefined || row[9] === null ? undefined : readEnvelope(listOf(row[9])),
  };
}

function readEnvelope(row: Row): EnvelopeFields {
  const from = addressesOf(row[2]);
  return {
    date: optional(row[0]),
    subject: optional(row[1]),
    from,
    sender: row[3] === null ? from : addressesOf(row[3]),
    replyTo: row[4] === null ? from : addressesOf(row[4]),
    to: addressesOf(row[5]),
    cc: addressesOf(row[6]),
    bcc: addressesOf(row[7]),
    inReplyTo: optional(row[8]),
    messageId: optional(row[9]),
  };
}

function addressesOf(value: unknown): readonly FieldAddress[] {
  const row = listOf(value);
  const addresses: FieldAddress[] = [];
  for (let at = 0; at < row.length; at += 3) {
    const [name, local, domain] = [row[at], row[at + 1], row[at + 2]];
    addresses.push({ name: optional(name), local: textOf(local), domain: optional(domain) });
  }
  return addresses;
}

function parametersOf(row: Row): Parameters {
  if (row.length === 0) return NO_PARAMETERS;
  const parameters: (readonly [string, string])[] = [];
  for (let at = 0; at < row.length; at += 2) {
    parameters.push([textOf(row[at]), textOf(row[at + 1])]);
  }
  return parameters;
}

function listOf(value: unknown): Row {
  return Array.isArray(value) ? value : damaged();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : damaged();
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : damaged();
}

function optional(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value);
}

function damaged(): never {
  throw Failure.permanent('damaged-parts', 'the tree of parts was not written by this program');
}
