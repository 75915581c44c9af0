/** Authentication-Results as others wrote it (RFC 8601 2.2): all of it by the grammar, or nothing. */

import { Scan } from './scan.ts';

export interface ParsedResults {
  /** As written, quotes taken away. */
  readonly authservId: string;
  /** Empty for `none`. */
  readonly results: readonly ParsedResult[];
}

/** Names are in lower case, values as written without quotes; octets as the text has them. */
export interface ParsedResult {
  readonly method: string;
  readonly result: string;
  readonly reason: string | undefined;
  readonly properties: readonly ParsedProperty[];
}

export interface ParsedProperty {
  readonly type: string;
  readonly name: string;
  readonly value: string;
}

export interface ParseLimits {
  /** Characters of the value. Default 65,536. */
  readonly characters?: number;
  /** Results in one field. Default 100. */
  readonly results?: number;
  /** Properties of one result. Default 100. */
  readonly properties?: number;
}

/**
 * The value of the field, folded or not, or undefined if anything in it breaks the grammar, is
 * above a limit, or is of a version that is not 1: who believes results must not guess at them.
 * A result of a method's later version is left out (RFC 8601 2.6). Linear time.
 */
export function parseAuthenticationResults(
  value: string,
  limits: ParseLimits = {},
): ParsedResults | undefined {
  if (value.length > (limits.characters ?? 65_536)) return undefined;
  const scan = new Scan(value);
  const authservId = readHead(scan);
  if (authservId === undefined) return undefined;
  const results: ParsedResult[] = [];
  let count = 0;
  while (!scan.ended) {
    if (!scan.take(';') || scan.skip() === undefined) return undefined;
    const read = readResult(scan, limits.properties ?? 100);
    if (read === undefined) return undefined;
    // "none" stands alone; so a second one, or results beside it, are an error.
    if (read === 'none') return count === 0 && scan.ended ? { authservId, results } : undefined;
    count++;
    if (count > (limits.results ?? 100)) return undefined;
    if (read !== 'other-version') results.push(read);
  }
  return count === 0 ? undefined : { authservId, results };
}

/** `[CFWS] authserv-id [CFWS version] [CFWS]`, up to the first semicolon. */
function readHead(scan: Scan): string | undefined {
  if (scan.skip() === undefined) return undefined;
  const authservId = scan.value();
  if (authservId === undefined || authservId === '') return undefined;
  const spaced = scan.skip();
  if (spaced === undefined) return undefined;
  const version = spaced ? scan.digits() : undefined;
  if (version !== undefined && (Number(version) !== 1 || scan.skip() === undefined)) {
    return undefined;
  }
  return authservId;
}

/** What stands between two semicolons, the white space behind it taken too. */
function readResult(scan: Scan, most: number): ParsedResult | 'none' | 'other-version' | undefined {
  const method = scan.keyword();
  if (method === undefined || scan.skip() === undefined) return undefined;
  if (method === 'none' && scan.ended) return 'none';
  let version = '1';
  if (scan.take('/')) {
    scan.skip();
    version = scan.digits() ?? '';
    if (version === '' || scan.skip() === undefined) return undefined;
  }
  if (!scan.take('=') || scan.skip() === undefined) return undefined;
  const result = scan.keyword();
  if (result === undefined) return undefined;
  const rest = readProperties(scan, most);
  if (rest === undefined) return undefined;
  return Number(version) === 1 ? { method, result, ...rest } : 'other-version';
}

/** `[CFWS reason] *(CFWS property)`. */
function readProperties(
  scan: Scan,
  most: number,
): Pick<ParsedResult, 'reason' | 'properties'> | undefined {
  const properties: ParsedProperty[] = [];
  let reason: string | undefined;
  let spaced = scan.skip();
  for (let first = true; spaced !== undefined; first = false) {
    const word = spaced ? scan.keyword() : undefined;
    if (word === undefined) return { reason, properties };
    if (scan.skip() === undefined) return undefined;
    if (first && word === 'reason' && scan.take('=')) {
      if (scan.skip() === undefined) return undefined;
      reason = scan.value();
      if (reason === undefined) return undefined;
    } else {
      const property = readProperty(scan, word);
      if (property === undefined || properties.length >= most) return undefined;
      properties.push(property);
    }
    spaced = scan.skip();
  }
  return undefined;
}

function readProperty(scan: Scan, type: string): ParsedProperty | undefined {
  if (!scan.take('.') || scan.skip() === undefined) return undefined;
  const name = scan.keyword();
  if (name === undefined || scan.skip() === undefined) return undefined;
  if (!scan.take('=') || scan.skip() === undefined) return undefined;
  const value = scan.propertyValue();
  return value === undefined ? undefined : { type, name, value };
}
