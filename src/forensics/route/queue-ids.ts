/** Ids that carry a time: what a queue id says about when the message really was there. */

import { base64Octets } from './octets.ts';

export interface IdTime {
  /** Whose form it is. */
  readonly form: 'Postfix' | 'Exim' | 'sendmail' | 'Thread-Index' | 'Google' | 'Courier';
  /** Milliseconds since 1970; for sendmail the nearest time to the hop's own that fits. */
  readonly ms: number;
  /** How exact the form is. */
  readonly precisionMs: number;
}

/** Postfix long ids are in base 52: digits and consonants. */
const BASE_52 = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** sendmail 8.12 and later: year, month, day, hour, minute, second, one character each. */
const SENDMAIL = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx';
const YEAR_2000_MS = 946_684_800_000;
const YEAR_2100_MS = 4_102_444_800_000;
const FILETIME_1970 = 116_444_736_000_000_000n;

/** The time in a queue id, by the product that wrote the line; `hopMs` decides sendmail's years. */
export function timeOfId(
  id: string,
  product: string | undefined,
  hopMs: number | undefined,
): IdTime | undefined {
  if (product === 'Postfix') return postfix(id);
  if (product === 'Exim') return exim(id);
  if (product === 'sendmail') return sendmail(id, hopMs);
  if (product === 'Courier') return courier(id);
  return product === 'Google' ? google(id) : undefined;
}

/** Six characters of seconds and four of microseconds, then the inode behind a `z`. */
function postfix(id: string): IdTime | undefined {
  const parts =
    /^([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,7})([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{4})z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{1,20}$/.exec(
      id,
    );
  const ms = number(parts?.[1] ?? '', BASE_52) * 1_000;
  return parts === null ? undefined : sane({ form: 'Postfix', ms, precisionMs: 1_000 });
}

/** `1xUy5g-0005DT-2f`: seconds in base 62, process, fraction. */
function exim(id: string): IdTime | undefined {
  const parts =
    /^([0-9A-Za-z]{6})-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})$/.exec(id);
  const ms = number(parts?.[1] ?? '', BASE_62) * 1_000;
  return parts === null ? undefined : sane({ form: 'Exim', ms, precisionMs: 1_000 });
}

/** `6AM3JNdq012345`: the year modulo 60, so that the hop's own time has to help; host's zone. */
function sendmail(id: string, hopMs: number | undefined): IdTime | undefined {
  if (hopMs === undefined || !/^[0-9A-Za-x]{8}\d{5,6}$/.test(id)) return undefined;
  const [year, month, day, hour, minute, second] = Array.from(id.slice(0, 6), (one) =>
    SENDMAIL.indexOf(one),
  );
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (month > 11 || day < 1 || day > 31 || hour > 23) return undefined;
  const hopYear = new Date(hopMs).getUTCFullYear();
  // tm_year counts from 1900, and sixty years fit into one character.
  const century = [-60, 0, 60].map((step) => {
    const base = hopYear - ((((hopYear - 1900 - year) % 60) + 60) % 60);
    return Date.UTC(base + step, month, day, hour, minute, second);
  });
  const ms = century.reduce((a, b) => (Math.abs(b - hopMs) < Math.abs(a - hopMs) ? b : a));
  // The zone of the host is not in the id.
  return { form: 'sendmail', ms, precisionMs: 14 * 3_600_000 };
}

function courier(id: string): IdTime | undefined {
  const hex = /^[0-9A-F]{16}\.([0-9A-F]{16})\.[0-9A-F]{8}$/.exec(id)?.[1];
  if (hex === undefined) return undefined;
  return sane({ form: 'Courier', ms: Number.parseInt(hex, 16) * 1_000, precisionMs: 1_000 });
}

/** `….2026.11.22.01.00.00`, in the zone of the line's date. */
function google(id: string): IdTime | undefined {
  const parts = /\.(20\d\d)\.(\d\d)\.(\d\d)\.(\d\d)\.(\d\d)\.(\d\d)$/.exec(id);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map(Number);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  return sane({ form: 'Google', ms, precisionMs: 14 * 3_600_000 });
}

/** Outlook's Thread-Index: the upper octets of a FILETIME, when the thread began. */
export function timeOfThreadIndex(value: string): IdTime | undefined {
  const octets = base64Octets(value.replace(/\s+/g, '').slice(0, 200));
  if (octets === undefined || octets.length < 22 || octets[0] !== 1) return undefined;
  let ticks = 0n;
  for (const octet of octets.subarray(0, 6)) ticks = (ticks << 8n) | BigInt(octet);
  const ms = Number(((ticks << 16n) - FILETIME_1970) / 10_000n);
  return sane({ form: 'Thread-Index', ms, precisionMs: 10_000 });
}

/** Sixteen hexadecimal digits, a FILETIME, as milliseconds since 1970. */
export function timeOfFiletime(digits: string): number | undefined {
  if (!/^[0-9a-f]{16}$/i.test(digits)) return undefined;
  return Number((BigInt(`0x${digits}`) - FILETIME_1970) / 10_000n);
}

function number(text: string, alphabet: string): number {
  let value = 0;
  for (const one of text) value = value * alphabet.length + alphabet.indexOf(one);
  return value;
}

/** An id of the right shape may be made of chance: a time outside our century is none. */
function sane(time: IdTime): IdTime | undefined {
  return time.ms > YEAR_2000_MS && time.ms < YEAR_2100_MS ? time : undefined;
}
