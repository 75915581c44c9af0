/** Why a signature broke: changes that mail software makes, undone one by one until it fits. */

import { isAscii, isUtf8 } from 'node:buffer';
import { type Hash, createHash } from 'node:crypto';
import { CR, LF, asBuffer, concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { type Field, readHead } from '#message/fields.ts';
import { insertions } from './insertions.ts';
import { leaves } from './leaves.ts';
import { type BodyDigests, hashBody } from '#trust/dkim/body.ts';
import { RelaxedBody, SimpleBody } from '#trust/dkim/body-canon.ts';
import { type Canon, SignedHead } from '#trust/dkim/header.ts';
import type { KeyAnswers } from '#trust/dkim/key-lookup.ts';
import { type Signature, readSignature } from '#trust/dkim/signature.ts';
import { DkimSignatures } from '#trust/dkim/verify.ts';
import type { Specimen } from '../specimen.ts';

export interface Repair {
  /** Names of what was undone, in order. */
  readonly undone: readonly Undone[];
  readonly text: string;
  /** With the key at hand: the whole signature is right again, not only its body hash. */
  readonly proved: boolean;
}

export type Undone =
  | 'footer'
  | 'banner'
  | 'list tag'
  | 'quoted-printable'
  | 'base64'
  | 'mbox quotes'
  | 'dots'
  | 'charset'
  | 'white space'
  | 'refolded';

interface Known {
  readonly digests: BodyDigests;
  readonly answers: KeyAnswers;
  readonly atMs: number;
}

/** A changed head or body, and what was undone to get it. */
interface Try {
  readonly undone: readonly Undone[];
  readonly octets: Uint8Array;
  readonly text: string;
}

/** Lines from the end at which a footer may begin. */
const FOOTER_LINES = 500;
/** Octets after a footer: a closing boundary with an epilogue. */
const TAIL_BYTES = 4_096;
/** Octets that are hashed to find what was put into a body. */
const INSERTED_BYTES = 16_777_216;

/**
 * The change that makes the signature (the `at`th of the head) right again, or undefined. A body
 * that was not kept cannot be tried.
 */
export function findRepair(specimen: Specimen, at: number, known: Known): Repair | undefined {
  const head = new SignedHead(specimen.headOctets, specimen.head);
  const field = head.named('dkim-signature')[at];
  if (field === undefined) return undefined;
  const { reading } = readSignature(field.raw);
  if (reading.kind !== 'read') return undefined;
  const signature = reading.value;
  const whole: Try = { undone: [], octets: specimen.body ?? new Uint8Array(), text: '' };
  const bodies = fits(whole, signature, known) ? [whole] : triesOfBody(specimen, signature);
  const heads: Try[] = [{ undone: [], octets: specimen.headOctets, text: '' }];
  heads.push(...triesOfHead(specimen, field, signature));
  for (const body of bodies) {
    for (const one of heads) {
      const undone = [...new Set([...body.undone, ...one.undone])];
      if (undone.length === 0 || !verifies(one, body, whole, at, known)) continue;
      return { undone, text: [body.text, one.text].filter(Boolean).join('; '), proved: true };
    }
  }
  const [body] = bodies;
  if (body === undefined || body === whole) return undefined;
  return { undone: body.undone, text: body.text, proved: false };
}

function fits(whole: Try, { body, bodyHash }: Signature, { digests }: Known): boolean {
  const digest = [...hashBody(whole.octets, [body]).digests.values()][0];
  const known = [...digests.digests.values()].some((one) => Buffer.compare(one, bodyHash) === 0);
  return known || (digest !== undefined && Buffer.compare(digest, bodyHash) === 0);
}

/** Bodies whose hash is the signed one. */
function triesOfBody(specimen: Specimen, signature: Signature): Try[] {
  const { body } = specimen;
  if (body === undefined || signature.body.lengthBytes !== undefined) return [];
  const wanted = signature.bodyHash;
  const sameHash = ({ octets }: Try, canon: Canon = signature.body.canon): boolean => {
    const digest = hashBody(octets, [{ canon, lengthBytes: undefined }]).digests.get(canon);
    return digest !== undefined && Buffer.compare(digest, wanted) === 0;
  };
  const whole: Try = { undone: [], octets: body, text: '' };
  const others = [...decodedBodies(specimen, body), ...quotedBodies(body), ...dottedBodies(body)];
  const found = [...others, ...recodedBodies(body)].filter((one) => sameHash(one));
  if (found.length > 0) return found;
  if (signature.body.canon === 'simple' && sameHash(whole, 'relaxed')) {
    const text = 'white space was added or taken away in the body (c=simple does not survive that)';
    return [{ undone: ['white space'], octets: body, text }];
  }
  for (const start of [whole, ...others]) {
    const footer = withoutFooter(start.octets, signature.body.canon, wanted);
    if (footer === undefined) continue;
    const text = `a footer of ${footer.bytes} octets was added at octet ${footer.at}`;
    const undone: Undone[] = [...start.undone, 'footer'];
    return [{ undone, octets: footer.octets, text: [start.text, text].filter(Boolean).join('; ') }];
  }
  const inserted = withoutInserted(specimen, body, sameHash);
  return inserted === undefined ? [] : [inserted];
}

/** A warning on top of a text, or a footer in an inner part. */
function withoutInserted(
  specimen: Specimen,
  body: Uint8Array,
  fits: (one: Try) => boolean,
): Try | undefined {
  let left = INSERTED_BYTES;
  for (const { from, to, where } of insertions(specimen.headOctets, body)) {
    if ((left -= body.length) < 0) break;
    const octets = concat([body.subarray(0, from), body.subarray(to)]);
    const text = `${to - from} octets were put in ${where}, at octet ${from}`;
    const one: Try = { undone: [where === 'on top' ? 'banner' : 'footer'], octets, text };
    if (fits(one)) return one;
  }
  return undefined;
}

/** RFC 5321 4.5.2: a dot that begins a line is doubled on the way, and taken away again. */
function dottedBodies(body: Uint8Array): Try[] {
  const text = latin1(body);
  if (!/^\./m.test(text)) return [];
  const tries = [text.replace(/^\./gm, '..'), text.replace(/^\.\./gm, '.')];
  const why = 'a dot at the beginning of a line was added or lost';
  return tries
    .filter((one) => one !== text)
    .map((one) => ({ undone: ['dots'], octets: fromLatin1(one), text: why }));
}

/** Text that was Latin-1, and that a server made UTF-8. */
function recodedBodies(body: Uint8Array): Try[] {
  if (isAscii(body) || !isUtf8(body)) return [];
  const text = Buffer.from(body).toString('utf8');
  if (/[^\0-\xff]/.test(text)) return [];
  const why = 'text in iso-8859-1 was re-encoded as utf-8';
  return [{ undone: ['charset'], octets: fromLatin1(text), text: why }];
}

/** 8-bit text that was encoded on the way (RFC 6152): the octets that the sender had. */
function decodedBodies(specimen: Specimen, body: Uint8Array): Try[] {
  return (['quoted-printable', 'base64'] as const).flatMap((encoding) => {
    const octets = leaves(specimen.headOctets, body, encoding);
    if (octets === undefined) return [];
    return [{ undone: [encoding], octets, text: `8-bit text was re-encoded as ${encoding}` }];
  });
}

/** mbox files put `>` before `From `, and not everybody takes it away again. */
function quotedBodies(body: Uint8Array): Try[] {
  const text = latin1(body);
  if (!text.includes('From ')) return [];
  const bare = text.replace(/^>(>*From )/gm, '$1');
  const quoted = text.replace(/^From /gm, '>From ');
  return [bare, quoted].flatMap((one) =>
    one === text
      ? []
      : [
          {
            undone: ['mbox quotes' as const],
            octets: fromLatin1(one),
            text: 'a line that begins with "From " was quoted for an mbox, or its quote taken away',
          },
        ],
  );
}

/**
 * Whether a piece at the end, or just before the last boundary, was added: hashes the canonical
 * body once and looks at every line end, so a body of any length costs one pass for each place.
 */
function withoutFooter(
  body: Uint8Array,
  canon: Canon,
  wanted: Uint8Array,
): { readonly octets: Uint8Array; readonly at: number; readonly bytes: number } | undefined {
  const starts = lineStarts(body);
  const closing = starts.findLast((at) => isClosingBoundary(body, at));
  for (const tailAt of closing === undefined ? [body.length] : [body.length, closing]) {
    const tail = body.subarray(tailAt);
    if (tail.length > TAIL_BYTES) continue;
    const cuts = starts.filter((at) => at < tailAt);
    const prefix = new Prefixes(body, canon);
    for (const cut of cuts) {
      if (Buffer.compare(prefix.hashAt(cut, tail), wanted) !== 0) continue;
      const octets = concat([body.subarray(0, cut), tail]);
      return { octets, at: cut, bytes: tailAt - cut };
    }
  }
  return undefined;
}

/** Hashes of longer and longer beginnings of a body, each with a tail. */
class Prefixes {
  readonly #body: Uint8Array;
  readonly #canon: Canon;
  readonly #hash: Hash = createHash('sha256');
  #done = 0;

  constructor(body: Uint8Array, canon: Canon) {
    this.#body = body;
    this.#canon = canon;
  }

  /** `to` grows from call to call and lies at line starts. */
  hashAt(to: number, tail: Uint8Array): Uint8Array {
    // Empty lines before `to` may be the last ones: they are left to the rest.
    const end = withoutEmptyLines(this.#body, this.#done, to);
    if (end > this.#done) {
      this.#hash.update(canonical(this.#body.subarray(this.#done, end), this.#canon));
      this.#done = end;
    }
    const rest = concat([this.#body.subarray(this.#done, to), tail]);
    const last = canonical(rest, this.#canon);
    // Nothing but a line end is what an empty body is; here there was something before it.
    const empty = last.length <= 2 && this.#done > 0;
    return this.#hash
      .copy()
      .update(empty ? '' : last)
      .digest();
  }
}

function canonical(octets: Uint8Array, canon: Canon): Uint8Array {
  const pieces: Uint8Array[] = [];
  const take = (bytes: Uint8Array): void => void pieces.push(bytes.slice());
  const body = canon === 'simple' ? new SimpleBody(take) : new RelaxedBody(take);
  body.write(octets);
  body.finish();
  return concat(pieces);
}

/** The last line starts, oldest first. */
function lineStarts(body: Uint8Array): number[] {
  const buffer = asBuffer(body);
  const starts: number[] = [];
  let at = body.length;
  while (starts.length < FOOTER_LINES) {
    const lf = at < 2 ? -1 : buffer.lastIndexOf(LF, at - 2);
    starts.push(lf + 1);
    if (lf === -1) break;
    at = lf + 1;
  }
  return starts.toReversed();
}

function withoutEmptyLines(body: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end - 2 >= from && body[end - 1] === LF && body[end - 2] === CR) {
    if (end > 2 && body[end - 3] !== LF) break;
    end -= 2;
  }
  return end;
}

function isClosingBoundary(body: Uint8Array, at: number): boolean {
  return /^--[^\r\n]{1,200}--[ \t]*(?:\r\n|$)/.test(latin1(body.subarray(at, at + 260)));
}

/** `[list]`, `***SPAM***`, `{Spam?}`, `EXTERNAL:`, before or behind `Re:`. */
const TAG =
  /^(\s*(?:re: ?)?)(?:\[[^\]]{1,80}\]|\*{2,5}[^*]{1,40}\*{2,5}|\{[^}]{1,40}\}|(?:external|spam|extern) ?[:>-])\s*/i;
const CHARSET = /(charset *= *"?)utf-8/i;

/** Heads with fields as they may have been. */
function triesOfHead(specimen: Specimen, own: Field, signature: Signature): Try[] {
  const text = latin1(specimen.headOctets);
  const tries: Try[] = [];
  const change = (field: Field, raw: string, undone: Undone, why: string): void => {
    const octets = fromLatin1(
      text.slice(0, field.valueStart) + raw + text.slice(field.valueStart + field.raw.length),
    );
    tries.push({ undone: [undone], octets, text: why });
  };
  for (const field of specimen.head.fields) {
    if (field === own || !signature.fields.includes(field.key)) continue;
    const tag = field.key === 'subject' ? TAG.exec(field.raw) : null;
    if (tag !== null) {
      const raw = `${tag[1] ?? ''}${field.raw.slice(tag[0].length)}`;
      change(field, raw, 'list tag', `a tag was put into Subject: ${tag[0].trim()}`);
    }
    if (field.key === 'content-type' && CHARSET.test(field.raw)) {
      for (const word of ['iso-8859-1', 'ISO-8859-1']) {
        change(field, field.raw.replace(CHARSET, `$1${word}`), 'charset', `charset was ${word}`);
      }
    }
    if (field.key === 'content-transfer-encoding') {
      for (const word of ['8bit', '7bit']) {
        change(field, ` ${word}`, 'quoted-printable', `Content-Transfer-Encoding was ${word}`);
      }
    }
    if (signature.headCanon === 'simple' && /\r\n[ \t]/.test(field.raw)) {
      change(field, field.raw.replace(/\r\n[ \t]+/g, ' '), 'refolded', `${field.name} was folded`);
    }
  }
  return tries;
}

function verifies(head: Try, body: Try, whole: Try, at: number, known: Known): boolean {
  const signed = new SignedHead(head.octets, readHead(head.octets));
  const signatures = new DkimSignatures(signed);
  // White space cannot be put back: there the body stays what it is and cannot be proved.
  const digests = body === whole ? known.digests : hashBody(body.octets, signatures.wants);
  return signatures.judge(digests, known.answers, known.atMs).results[at]?.status === 'pass';
}
