/** What may be taken for the end of data: every prefix of the dot with every suffix, classified. */

/** `control`: holds CRLF.CRLF; `lenient`: the dot begins a line, so that senders double it. */
export type Family = 'control' | 'lenient' | 'lf' | 'cr' | 'nul' | 'break';

export interface Ending {
  /** `LF.CRLF`. */
  readonly name: string;
  /** One character an octet. */
  readonly prefix: string;
  readonly suffix: string;
  /** The connection's end stands for the suffix. */
  readonly eof: boolean;
  readonly family: Family;
}

const PREFIXES: readonly (readonly [string, string])[] = [
  ['CRLF', '\r\n'],
  ['LF', '\n'],
  ['CR', '\r'],
  ['CRCRLF', '\r\r\n'],
  ['LFCR', '\n\r'],
  ['CRLF+NUL', '\r\n\0'],
  ['NUL+CRLF', '\0\r\n'],
  ['CRLF+CR', '\r\n\r'],
  ['CRLF+LF', '\r\n\n'],
  ['CR+NUL+LF', '\r\0\n'],
  ['VT', '\x0b'],
  ['FF', '\x0c'],
  // U+0085 and U+2028 in UTF-8.
  ['NEL', '\xc2\x85'],
  ['LS', '\xe2\x80\xa8'],
];

const SUFFIXES: readonly (readonly [string, string])[] = [
  ['CRLF', '\r\n'],
  ['LF', '\n'],
  ['CR', '\r'],
  ['CRCRLF', '\r\r\n'],
  ['LFCR', '\n\r'],
  ['NUL+CRLF', '\0\r\n'],
  ['SP+CRLF', ' \r\n'],
  ['CR+NUL+LF', '\r\0\n'],
  ['EOF', ''],
];

/** The whole product: 126 sequences. */
export const ENDINGS: readonly Ending[] = PREFIXES.flatMap(([before, prefix]) =>
  SUFFIXES.map(([after, suffix]) => ({
    name: `${before}.${after}`,
    prefix,
    suffix,
    eof: after === 'EOF',
    family: familyOf(prefix, suffix),
  })),
);

/** The few that tell most: each has ended data in some real server. */
export const TELLING: readonly Ending[] = [
  'LF.LF',
  'LF.CRLF',
  'CRLF+LF.LF',
  'CR.CR',
  'CR.CRLF',
  'CRLF+NUL.CRLF',
  'LS.CRLF',
  'CRLF.LF',
].flatMap((name) => ENDINGS.filter((ending) => ending.name === name));

/**
 * A conforming sender doubles a dot behind CRLF (RFC 5321 4.5.2), so nobody can make it send
 * `CRLF.` with anything but another dot behind it; what it takes for text it sends as it is.
 */
function familyOf(prefix: string, suffix: string): Family {
  if (`${prefix}.${suffix}`.includes('\r\n.\r\n')) return 'control';
  if (prefix.endsWith('\r\n')) return 'lenient';
  if (prefix.endsWith('\n')) return 'lf';
  if (prefix.endsWith('\r')) return 'cr';
  return prefix.endsWith('\0') ? 'nul' : 'break';
}
