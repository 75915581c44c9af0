/** Messages as lists show them: of many rows each column comes as one value, not as one each. */

import type { MailboxId, ModSeq, Uid } from '#base/brand.ts';
import { NO_BYTES, latin1, letGo } from '#base/bytes.ts';
import type { MessageSummary, SummaryPart, UidRanges } from '#store/mail.ts';
import { checkNumber } from '../checks.ts';
import type { Connection } from '../connection.ts';
import { joinFlags } from '../flags.ts';
import { merge, scan } from './ranges.ts';
import type { Read } from './ranges.ts';

export interface Asked {
  readonly id: MailboxId;
  readonly parts: readonly SummaryPart[];
  readonly limit: number;
  /** Messages that were expunged after this are shown too. */
  readonly since: number;
}

/**
 * What one statement brings: numbers as JSON, octets joined and, as JSON, the length of each. The
 * last columns are missing where no octets are asked for.
 */
type Packed = readonly [
  expunged: string,
  keywordNames: string | null,
  uids: string,
  flags: string,
  /** Of those that have some, with their UIDs. */
  keywords: string,
  modSeqs: string,
  internalMs: string,
  sizeBytes: string,
  envelopeBytes?: string,
  envelopes?: Uint8Array | null,
  structureBytes?: string,
  structures?: Uint8Array | null,
  headBytes?: string,
  heads?: Uint8Array | null,
  headChecks?: string,
];

/*
 * One statement for everything, so that no transaction is needed around it. What was not asked for
 * is not even looked at: FILTER. Rows come in the order of the subquery. Parameters: mailbox, first
 * and last UID, limit, expunged since; 6 flags, 7 modification sequences, 8 dates, 9 sizes,
 * 10 envelopes, 11 structures, 12 heads; 13 the most octets of one.
 */
// Twice in full: a statement is one constant, never built from pieces (a law).
const BARE = `SELECT
  (SELECT json_group_array(uid) FROM (SELECT uid FROM tombstones WHERE mailbox = ?1
    AND uid BETWEEN ?2 AND ?3 AND expunged_ms > ?5 ORDER BY uid LIMIT ?4 + 0)),
  CASE WHEN ?6 THEN (SELECT json_group_array(json_array(number, name)) FROM keywords
    WHERE mailbox = ?1) END,
  json_group_array(uid), json_group_array(flags) FILTER (WHERE ?6),
  json_group_array(json_array(uid, keywords)) FILTER (WHERE ?6 AND keywords IS NOT NULL),
  json_group_array(modseq) FILTER (WHERE ?7), json_group_array(internal_ms) FILTER (WHERE ?8),
  json_group_array(size) FILTER (WHERE ?9)
  FROM (SELECT uid, modseq, flags, keywords, internal_ms, size_bytes AS size, content FROM messages
    WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid LIMIT ?4 + 0)`;
const WITH_OCTETS = `SELECT
  (SELECT json_group_array(uid) FROM (SELECT uid FROM tombstones WHERE mailbox = ?1
    AND uid BETWEEN ?2 AND ?3 AND expunged_ms > ?5 ORDER BY uid LIMIT ?4 + 0)),
  CASE WHEN ?6 THEN (SELECT json_group_array(json_array(number, name)) FROM keywords
    WHERE mailbox = ?1) END,
  json_group_array(uid), json_group_array(flags) FILTER (WHERE ?6),
  json_group_array(json_array(uid, keywords)) FILTER (WHERE ?6 AND keywords IS NOT NULL),
  json_group_array(modseq) FILTER (WHERE ?7), json_group_array(internal_ms) FILTER (WHERE ?8),
  json_group_array(size) FILTER (WHERE ?9),
  json_group_array(length(envelope)) FILTER (WHERE ?10),
  CAST(group_concat(CASE WHEN length(envelope) <= ?13 THEN envelope END, '') FILTER (WHERE ?10)
    AS BLOB),
  json_group_array(length(body_structure)) FILTER (WHERE ?11),
  CAST(group_concat(CASE WHEN length(body_structure) <= ?13 THEN body_structure END, '')
    FILTER (WHERE ?11) AS BLOB),
  json_group_array(head_bytes) FILTER (WHERE ?12),
  CAST(group_concat(CASE WHEN head_bytes <= ?13 THEN head END, '') FILTER (WHERE ?12) AS BLOB),
  json_group_array(head_checked) FILTER (WHERE ?12)
  FROM (SELECT uid, modseq, flags, keywords, internal_ms, size_bytes AS size, content FROM messages
    WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid LIMIT ?4 + 0)
  LEFT JOIN contents ON contents.id = content`;

/** Octets of a message that come along, and where few messages are asked for. */
const SMALL_BYTES = 8_192;
const LARGE_BYTES = 32_768;
export const FEW_ROWS = 64;
/** Rows with octets cost more to read than to jump over. */
const OCTETS_GAP = 8;

/** Ascending, `limit` of those within the ranges or all there are. */
export function summariesWithin(
  sql: Connection,
  asked: Asked,
  ranges: UidRanges,
): readonly MessageSummary[] {
  const { id, parts, limit, since } = asked;
  const mostBytes = limit > FEW_ROWS ? SMALL_BYTES : LARGE_BYTES;
  const wanted = PARTS.map((part) => (parts.includes(part) ? 1 : 0));
  const hasOctets = wanted.slice(BARE_PARTS).includes(1);
  const statement = hasOctets ? WITH_OCTETS : BARE;
  const chosen = hasOctets ? [...wanted, mostBytes] : wanted.slice(0, BARE_PARTS);
  const read: Read<MessageSummary> = (from, to, count) => {
    const packed = sql.row<Packed>(statement, id, from, to, count, since, ...chosen);
    return packed === undefined ? [] : merge(unpack(packed, mostBytes), gone(packed), count, uidOf);
  };
  return scan(ranges, limit, uidOf, read, hasOctets ? OCTETS_GAP : undefined);
}

function gone(packed: Packed): readonly MessageSummary[] {
  return packed[0] === '[]' ? NONE : uidsOf(packed[0]).map((uid) => ({ ...UNREAD, uid }));
}

const NONE: readonly MessageSummary[] = [];

function uidOf(row: MessageSummary): number {
  return row.uid;
}

/** Nothing but its UID is known. */
const UNREAD: Omit<MessageSummary, 'uid'> = {
  lacking: true,
  modSeq: 0 as ModSeq,
  flags: [],
  internalDateMs: 0,
  sizeBytes: 0,
  envelope: '',
  bodyStructure: '',
  head: NO_BYTES,
};

/** In the order of their parameters; the first ones need no octets. */
export const PARTS: readonly SummaryPart[] = [
  'flags',
  'modSeq',
  'internalDate',
  'size',
  'envelope',
  'bodyStructure',
  'head',
];
const BARE_PARTS = 4;

function unpack(packed: Packed, mostBytes: number): readonly MessageSummary[] {
  const masks = numbersOf(packed[3]);
  const flagsOf = flagLists(packed[1], packed[4]);
  const modSeqs = JSON.parse(packed[5]) as readonly ModSeq[];
  const internalMs = numbersOf(packed[6]);
  const sizeBytes = numbersOf(packed[7]);
  const envelopes = textsOf(packed[8], packed[9], mostBytes);
  const structures = textsOf(packed[10], packed[11], mostBytes);
  const heads = headsOf(packed[12], packed[13], packed[14], mostBytes);
  return uidsOf(packed[2]).map((uid, at) => {
    const envelope = envelopes === undefined ? '' : envelopes[at];
    const bodyStructure = structures === undefined ? '' : structures[at];
    const head = heads === undefined ? NO_BYTES : heads[at];
    return {
      uid,
      lacking: envelope === undefined || bodyStructure === undefined || head === undefined,
      modSeq: modSeqs[at] ?? UNREAD.modSeq,
      flags: flagsOf(uid, masks[at] ?? 0),
      internalDateMs: internalMs[at] ?? 0,
      sizeBytes: sizeBytes[at] ?? 0,
      envelope: envelope ?? '',
      bodyStructure: bodyStructure ?? '',
      head: head ?? NO_BYTES,
    };
  });
}

function uidsOf(json: string): readonly Uid[] {
  return JSON.parse(json) as readonly Uid[];
}

function numbersOf(json = '[]'): readonly (number | null)[] {
  return JSON.parse(json) as readonly (number | null)[];
}

/** Without what is large or is not there; undefined when it was not asked for. */
function textsOf(
  lengths: string | undefined,
  octets: Uint8Array | null | undefined,
  mostBytes: number,
): readonly (string | undefined)[] | undefined {
  if (lengths === undefined || lengths === '[]') return undefined;
  const text = latin1(octets ?? NO_BYTES);
  // What V8 has to look for is more than the reading costs.
  if (octets) letGo(octets);
  let from = 0;
  return numbersOf(lengths).map((length) => {
    if (length === null || length > mostBytes) return undefined;
    from += length;
    return text.slice(from - length, from);
  });
}

/** The same, without what is not as its check number says. */
function headsOf(
  lengths: string | undefined,
  octets: Uint8Array | null | undefined,
  checks: string | undefined,
  mostBytes: number,
): readonly (Uint8Array | undefined)[] | undefined {
  if (lengths === undefined || lengths === '[]') return undefined;
  const numbers = numbersOf(checks);
  let from = 0;
  return numbersOf(lengths).map((length, at) => {
    if (length === null || length > mostBytes) return undefined;
    from += length;
    const head = octets?.subarray(from - length, from) ?? NO_BYTES;
    return checkNumber(head) === numbers[at] ? head : undefined;
  });
}

/** Messages with the same flags share one list. */
function flagLists(
  names: string | null,
  keywords: string,
): (uid: Uid, mask: number) => readonly string[] {
  if (keywords === '[]') return (_uid, mask) => joinFlags(mask, null, NO_NAMES);
  const nameOf = new Map(JSON.parse(names ?? '[]') as readonly (readonly [number, string])[]);
  const numbersOf = new Map(JSON.parse(keywords) as readonly (readonly [Uid, string])[]);
  const lists = new Map<string, readonly string[]>();
  return (uid, mask) => {
    const numbers = numbersOf.get(uid) ?? null;
    const key = `${mask} ${numbers}`;
    let list = lists.get(key);
    if (list === undefined) {
      list = joinFlags(mask, numbers, nameOf);
      lists.set(key, list);
    }
    return list;
  };
}

const NO_NAMES: ReadonlyMap<number, string> = new Map();
