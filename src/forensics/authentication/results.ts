/** Authentication-Results (RFC 8601) that may be believed, and the far more that may not. */

import { parseDomain } from '#base/domain.ts';
import { type Field, type Head, allFields } from '#message/fields.ts';
import type { Trace } from '../specimen.ts';
import { isOurs } from '#trust/results/ours.ts';
import { type ParsedResult, parseAuthenticationResults } from '#trust/results/parse.ts';

/** One field, and what it is worth. */
export interface ResultsField {
  readonly field: Field;
  /** As written, if the field keeps to the grammar. */
  readonly authservId: string | undefined;
  /** `believed`: ours and above the boundary. `forged`: claims to be ours and is not. */
  readonly standing: 'believed' | 'claimed' | 'forged';
  readonly why: string;
  readonly results: readonly ParsedResult[];
}

/** Fields that are read. */
const FIELDS = 100;

/**
 * Judges every field of a head. Believed is only what keeps to the grammar in full, has one of
 * the ids, and stands above the line of the boundary hop: what is below, anybody may have put
 * there (RFC 8601 5, 1.6). Without a boundary nothing is believed. Google writes its field below
 * its own line: there the first one is its own.
 */
export function readResults(
  head: Head,
  ids: readonly string[],
  hop: Trace | undefined,
): readonly ResultsField[] {
  const boundary = hop?.field;
  const google = hop === undefined ? undefined : belowGoogle(head, hop);
  return allFields(head, 'authentication-results')
    .slice(0, FIELDS)
    .map((field): ResultsField => {
      const parsed = parseAuthenticationResults(field.raw);
      const authservId = parsed?.authservId;
      const results = parsed?.results ?? [];
      const base = { field, authservId, results };
      if (ids.length === 0)
        return { ...base, standing: 'claimed', why: 'no --authserv-id is given' };
      const own = believableId(field.value, ids) !== undefined && plainField(field);
      if (boundary !== undefined && field.start < boundary.start) {
        if (own)
          return { ...base, standing: 'believed', why: 'above the boundary, with a trusted id' };
        const why = parsed === undefined ? 'breaks the grammar' : 'of an id that was not named';
        return { ...base, standing: 'claimed', why };
      }
      if (own && field === google)
        return { ...base, standing: 'believed', why: 'where Google writes it, with a trusted id' };
      if (boundary === undefined)
        return { ...base, standing: 'claimed', why: 'there is no boundary' };
      // An empty or unreadable id passes for everybody's with sloppy readers; that is no forgery.
      const forged = authservId === undefined ? namesOurs(field, ids) : isOurs(field.value, ids);
      return forged
        ? { ...base, standing: 'forged', why: 'has our id but stands below the boundary' }
        : { ...base, standing: 'claimed', why: 'below the boundary' };
    });
}

/** The first field below a line of Google, with no other line between; it has that host's id. */
function belowGoogle({ fields }: Head, { line, field }: Trace): Field | undefined {
  if (line.product?.name !== 'Google') return undefined;
  const below = fields.slice(fields.indexOf(field) + 1);
  const first = below.find(({ key }) => key === 'received' || key === 'authentication-results');
  if (first?.key !== 'authentication-results') return undefined;
  return believableId(first.value, [line.by?.text ?? '']) === undefined ? undefined : first;
}

/** The id of a value that keeps to the grammar, if it is one of these; else undefined. */
export function believableId(value: string, ids: readonly string[]): string | undefined {
  const parsed = parseAuthenticationResults(value);
  if (parsed === undefined || /[^\x20-\x7e]/.test(parsed.authservId)) return undefined;
  const id = normal(parsed.authservId);
  return ids.some((one) => normal(one) === id) ? parsed.authservId : undefined;
}

/** RFC 5322 2.2: no white space before the colon, no control characters, folds by CRLF alone. */
function plainField({ raw, name, valueStart, start }: Field): boolean {
  const exact = valueStart - start === name.length + 1;
  return exact && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/.test(raw);
}

/** Whether an unreadable value still shows one of our ids where an id stands. */
function namesOurs(field: Field, ids: readonly string[]): boolean {
  const start = field.value.slice(0, 1_000).toLowerCase();
  return ids.some((id) => start.includes(id.toLowerCase())) && isOurs(field.value, ids);
}

function normal(id: string): string {
  return parseDomain(id) ?? id.toLowerCase();
}
