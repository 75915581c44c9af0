/** The tree of parts while it grows: what is open, which boundaries count, when a part is done. */

import { HEAD_BYTES } from '#base/limits.ts';
import { invariant } from '#base/failure.ts';
import { FIELD_ADDRESSES } from './addresses.ts';
import { Defects } from './defects.ts';
import { envelopeOf } from './envelope.ts';
import { type Head, readHead } from './fields.ts';
import { readMedia } from './media.ts';
import { FIELD_PARAMETERS } from './parameters.ts';
import type { EnvelopeFields, Part } from './part.ts';

export interface StructureLimits {
  /** Containers inside each other; what is deeper stays one opaque part. */
  readonly depth?: number;
  /** Parts in all; the octets of more belong to their multipart and are not described. */
  readonly parts?: number;
  /** RFC 2046 5.1.1 allows 70; senders do not count. */
  readonly boundaryBytes?: number;
  /** Of one field, and of the whole tree: a 50 MB message could hold ten million. */
  readonly parameters?: number;
  readonly allParameters?: number;
  /** In the envelopes of all messages inside the message together. */
  readonly addresses?: number;
  /** Of one head: the rest of a longer one is skipped, unread. */
  readonly headBytes?: number;
}

/** A delimiter line: of which open multipart, and whether it is the last one. */
export interface Delimiter {
  readonly level: number;
  readonly last: boolean;
}

type Draft = { -readonly [K in keyof Part]: Part[K] } & { children: Part[] };

interface Open {
  readonly part: Draft;
  readonly inDigest: boolean;
  /** Line ends of the message before the body began. */
  linesBefore: number;
  /** Of a multipart that has not seen its last delimiter. */
  boundary: string | undefined;
}

const IDENTITY = new Set(['7bit', '8bit', 'binary']);

export class PartTree {
  readonly limits: Required<StructureLimits>;
  readonly defects = new Defects();
  /** Whether the innermost part is still in its head. */
  inHead = false;
  rootHead: Head | undefined;
  readonly #open: Open[] = [];
  /** Levels by boundary, innermost last: one look-up a line, however deep the message is. */
  readonly #boundaries = new Map<string, number[]>();
  #parts = 0;
  #parameters = 0;
  #addresses = 0;

  constructor(limits: StructureLimits) {
    this.limits = {
      depth: limits.depth ?? 100,
      parts: limits.parts ?? 5_000,
      boundaryBytes: limits.boundaryBytes ?? 2048,
      parameters: limits.parameters ?? FIELD_PARAMETERS,
      allParameters: limits.allParameters ?? 50_000,
      addresses: limits.addresses ?? FIELD_ADDRESSES,
      headBytes: limits.headBytes ?? HEAD_BYTES,
    };
  }

  /** Whether a delimiter may come. */
  get inMultipart(): boolean {
    return this.#boundaries.size > 0;
  }

  /** A part begins inside the innermost open one. */
  begin(headStart: number, inDigest: boolean): void {
    const part = emptyPart(headStart);
    this.#open.at(-1)?.part.children.push(part);
    this.#open.push({ part, inDigest, linesBefore: 0, boundary: undefined });
    this.#parts++;
    this.inHead = true;
  }

  /** The innermost part's head, given from its first octet on, ends before `end`. */
  endHead(octets: Uint8Array, end: number, lines: number): void {
    const open = this.#open.at(-1);
    invariant(open !== undefined, 'a head belongs to an open part');
    const { part } = open;
    this.inHead = false;
    open.linesBefore = lines;
    part.headBytes = end - part.headStart;
    part.bodyStart = end;
    if (part.headBytes > this.limits.headBytes) this.defects.note('long-head', part.headStart);
    const head = readHead(octets.subarray(0, part.headBytes));
    this.defects.add(head.defects, part.headStart);
    const options = {
      inDigest: open.inDigest,
      maxParameters: Math.min(this.limits.parameters, this.limits.allParameters - this.#parameters),
      at: part.headStart,
    };
    const { boundary, ...described } = readMedia(head, options, this.defects);
    Object.assign(part, described);
    this.#parameters += part.parameters.length + (part.disposition?.parameters.length ?? 0);
    const parent = this.#open.at(-2);
    if (parent === undefined) {
      this.rootHead = head;
      part.envelope = envelopeOf(head);
    } else if (parent.part.type === 'message') {
      // The root keeps the envelope of the whole message: there the inner one is its child's.
      const holder = this.#open.length === 2 ? part : parent.part;
      holder.envelope = this.#innerEnvelope(head, part.headStart);
    }
    this.#contain(open, boundary, end);
  }

  /** Which delimiter a line is, given from its two dashes on and without them. */
  delimiterOf(line: string): Delimiter | undefined {
    let end = line.length;
    while (end > 0 && ' \t\r'.includes(line[end - 1] ?? '')) end--;
    const text = line.slice(0, end);
    const next = this.#boundaries.get(text)?.at(-1);
    const bare = text.endsWith('--') ? text.slice(0, -2) : undefined;
    const last = bare === undefined ? undefined : this.#boundaries.get(bare)?.at(-1);
    // With the boundaries `x` and `x--` a line can be both: the inner multipart has it.
    if (last !== undefined && (next === undefined || last > next))
      return { level: last, last: true };
    return next === undefined ? undefined : { level: next, last: false };
  }

  /** Ends all parts inside the delimiter's multipart at `end`; may begin the next at `after`. */
  delimit(
    { level, last }: Delimiter,
    at: { readonly end: number; endLines: number; lineStart: number; after: number },
  ): void {
    while (this.#open.length - 1 > level) this.#close(at.end, at.endLines);
    this.inHead = false;
    const multipart = this.#open[level];
    invariant(multipart !== undefined, 'a delimiter belongs to an open part');
    if (last) this.#forget(multipart);
    else if (this.#parts < this.limits.parts) {
      this.begin(at.after, multipart.part.subtype === 'digest');
    } else this.defects.note('too-many-parts', at.lineStart);
  }

  /** The message ended: closes everything and gives the root. */
  finish(end: number, lines: number): Part {
    const [root] = this.#open;
    invariant(root !== undefined, 'the root part is always there');
    while (this.#open.length > 0) this.#close(end, lines);
    return root.part;
  }

  /** Each list gets one address at least, so that From is never empty wrongly. */
  #innerEnvelope(head: Head, at: number): EnvelopeFields {
    const room = Math.max(1, this.limits.addresses - this.#addresses);
    const envelope = envelopeOf(head, room);
    const { from, to, cc, bcc } = envelope;
    this.#addresses += from.length + to.length + cc.length + bcc.length;
    this.#addresses += envelope.sender.length + envelope.replyTo.length;
    if (this.#addresses > this.limits.addresses) this.defects.note('too-many-addresses', at);
    return envelope;
  }

  /** Whether the part holds others, and if so makes ready for them. */
  #contain(open: Open, boundary: string | undefined, end: number): void {
    const { part } = open;
    const isMessage =
      part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global');
    if (!isMessage && part.type !== 'multipart') return;
    if (this.#open.length > this.limits.depth) {
      this.defects.note('too-deep', part.headStart);
      becomeOpaque(part);
    } else if (isMessage) this.#containMessage(part, end);
    else {
      if (!IDENTITY.has(part.encoding)) this.defects.note('encoded-container', part.headStart);
      // Lines are compared without white space at their end, so the boundary is too.
      const bare = boundary?.trimEnd() ?? '';
      if (bare === '') this.defects.note('no-boundary', part.headStart);
      else if (bare.length > this.limits.boundaryBytes) {
        this.defects.note('long-boundary', part.headStart);
      } else this.#remember(open, bare);
    }
  }

  /** RFC 2046 5.2.1: a message is never encoded; one that is cannot be described by offsets. */
  #containMessage(part: Draft, end: number): void {
    if (!IDENTITY.has(part.encoding)) this.defects.note('encoded-container', part.headStart);
    else if (this.#parts >= this.limits.parts) this.defects.note('too-many-parts', part.headStart);
    else return this.begin(end, false);
    becomeOpaque(part);
  }

  #remember(open: Open, boundary: string): void {
    open.boundary = boundary;
    const level = this.#open.length - 1;
    const levels = this.#boundaries.get(boundary);
    if (levels === undefined) this.#boundaries.set(boundary, [level]);
    else levels.push(level);
  }

  /** After its last delimiter a multipart sees no other: what follows is epilogue. */
  #forget(open: Open): void {
    if (open.boundary === undefined) return;
    const levels = this.#boundaries.get(open.boundary);
    levels?.pop();
    if (levels?.length === 0) this.#boundaries.delete(open.boundary);
    open.boundary = undefined;
  }

  #close(end: number, lines: number): void {
    const open = this.#open.pop();
    invariant(open !== undefined, 'only open parts are closed');
    const { part } = open;
    part.bodyBytes = Math.max(0, end - part.bodyStart);
    part.bodyLines = part.bodyBytes === 0 ? 0 : Math.max(0, lines - open.linesBefore);
    if (open.boundary !== undefined) {
      this.defects.note('missing-final-boundary', part.headStart);
      this.#forget(open);
    }
    if (part.type === 'multipart' && part.children.length === 0) {
      this.defects.note('no-delimiter', part.headStart);
      becomeText(part);
    }
  }
}

/** Opaque octets: so a multipart always has parts, and a message always its one message. */
function becomeOpaque(part: Draft): void {
  part.type = 'application';
  part.subtype = 'octet-stream';
  part.parameters = [];
}

/** A multipart without parts is shown as what stands in it (RFC 2045 5.2). */
function becomeText(part: Draft): void {
  part.type = 'text';
  part.subtype = 'plain';
  part.parameters = [['charset', 'us-ascii']];
}

function emptyPart(headStart: number): Draft {
  return {
    headStart,
    headBytes: 0,
    bodyStart: headStart,
    bodyBytes: 0,
    bodyLines: 0,
    type: 'text',
    subtype: 'plain',
    parameters: [],
    id: undefined,
    description: undefined,
    encoding: '7bit',
    md5: undefined,
    disposition: undefined,
    languages: [],
    location: undefined,
    children: [],
    envelope: undefined,
  };
}
