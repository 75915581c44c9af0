/** Dates of mail (RFC 5322 3.3 and 4.3): read with all that is obsolete, written one way. */

export interface MailDate {
  /** Milliseconds since 1970 UTC. */
  readonly ms: number;
  /** The zone as minutes east of UTC; 0 when it was unknown. */
  readonly zoneMinutes: number;
}

const LENGTH = 1000;
const [SPACE, PLUS, COMMA, MINUS, ZERO, COLON] = [0x20, 0x2b, 0x2c, 0x2d, 0x30, 0x3a] as const;
const MONTH_NAMES = 'janfebmaraprmayjunjulaugsepoctnovdec';
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const WEEKDAYS = 'SunMonTueWedThuFriSat';
/** RFC 5322 4.3; military letters are unknown zones, because RFC 822 had their signs wrong. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['edt', -240],
  ['est', -300],
  ['cdt', -300],
  ['cst', -360],
  ['mdt', -360],
  ['mst', -420],
  ['pdt', -420],
  ['pst', -480],
]);
const DAY_MONTH = /^(?:[a-z]+\.? ?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{2,5}) (.*)$/;
const TIME = /^(\d{1,2}) ?[:.] ?(\d{1,2})(?: ?[:.] ?(\d{1,2}))?(?:[.,]\d+)? ?(.*)$/;

/** A date-time as milliseconds since 1970 UTC, or undefined when it is none. */
export function parseDate(text: string): number | undefined {
  return parseMailDate(text)?.ms;
}

/**
 * A date-time: comments, folding, missing weekday, missing seconds, two- and three-digit years
 * (RFC 5322 4.3), names of zones. Undefined for days that do not exist and years that are not
 * between 1900 and 9999. A missing or unknown zone is UTC.
 */
export function parseMailDate(text: string): MailDate | undefined {
  if (text.length > LENGTH) return undefined;
  const usual = usualDate(text);
  if (usual !== undefined) return usual;
  const bare = text.includes('(') ? withoutComments(text) : text;
  const spaced = /[\t\r\n]|  /.test(bare) ? bare.replace(/[ \t\r\n]+/g, ' ') : bare;
  const line = spaced.trim().toLowerCase();
  const date = DAY_MONTH.exec(line);
  const time = date?.[4] === undefined ? null : TIME.exec(date[4]);
  if (date === null || time === null) return undefined;
  const year = fullYear(date[3] ?? '');
  const month = nameIn(MONTH_NAMES, date[2] ?? '');
  const zoneMinutes = zoneOf(time[4] ?? '');
  const [day, hour] = [Number(date[1]), Number(time[1])];
  const [minute, second] = [Number(time[2]), Number(time[3] ?? '0')];
  if (zoneMinutes === undefined) return undefined;
  return dateOf(year, month, day, hour, minute, second, zoneMinutes);
}

/** `Sun, 22 Nov 2026 05:00:00 +0000`: always UTC, so that nothing of the host shows. */
export function formatDate(ms: number): string {
  return `${new Date(ms).toUTCString().slice(0, -3)}+0000`;
}

/**
 * What nearly all mail has, `Sun, 22 Nov 2026 05:00:00 +0000` in exactly this form, without a search for what
 * else it might be: undefined is no answer but the question to the whole grammar.
 */
function usualDate(text: string): MailDate | undefined {
  const start = text.charCodeAt(3) === COMMA ? 5 : 0;
  const day = start + (text.charCodeAt(start + 1) === SPACE ? 1 : 2);
  if (text.length !== day + 24 || text.charCodeAt(day) !== SPACE) return undefined;
  if (start > 0 && (text.charCodeAt(4) !== SPACE || nameIn(WEEKDAYS, text.slice(0, 3)) < 0)) {
    return undefined;
  }
  if (text.charCodeAt(day + 4) !== SPACE || text.charCodeAt(day + 9) !== SPACE) return undefined;
  if (text.charCodeAt(day + 12) !== COLON || text.charCodeAt(day + 15) !== COLON) return undefined;
  const sign = text.charCodeAt(day + 19);
  if (text.charCodeAt(day + 18) !== SPACE || (sign !== PLUS && sign !== MINUS)) return undefined;
  const zoneMinutes = digits(text, day + 20, 2) * 60 + digits(text, day + 22, 2);
  if (!(digits(text, day + 22, 2) <= 59)) return undefined;
  return dateOf(
    digits(text, day + 5, 4),
    nameIn(MONTHS, text.slice(day + 1, day + 4)),
    digits(text, start, day - start),
    digits(text, day + 10, 2),
    digits(text, day + 13, 2),
    digits(text, day + 16, 2),
    sign === MINUS ? 0 - zoneMinutes : zoneMinutes,
  );
}

/** NaN where there are not so many digits. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Undefined for what no calendar has; comparisons that NaN fails too. */
function dateOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  zoneMinutes: number,
): MailDate | undefined {
  if (!(year >= 1900 && year <= 9999 && month >= 0)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 60 && day >= 1)) return undefined;
  if (day > daysOf(year, month)) return undefined;
  const ms = Date.UTC(year, month, day, hour, minute, second) - zoneMinutes * 60_000;
  return Number.isNaN(ms) ? undefined : { ms, zoneMinutes };
}

function withoutComments(text: string): string {
  let out = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\\' && depth > 0) at++;
    else if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth === 0) out += character;
    if (character === ')' && depth === 0) out += ' ';
  }
  return out;
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year + (year < 50 ? 2000 : 1900);
  return digits.length === 3 ? year + 1900 : year;
}

/** Which of the names of three letters it is; -1 for none. */
function nameIn(names: string, name: string): number {
  const at = names.indexOf(name);
  return at % 3 === 0 ? at / 3 : -1;
}

function daysOf(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}

/** Minutes east of UTC, or undefined for a number that is no zone. */
function zoneOf(text: string): number | undefined {
  const offset = /^([+-])(\d{2}):?(\d{2})(?: |$)/.exec(text);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    if (Number(offset[3]) > 59) return undefined;
    return offset[1] === '-' ? 0 - minutes : minutes;
  }
  const [name = ''] = text.split(' ', 1);
  if (/^[+-]?\d/.test(name)) return undefined;
  return ZONES.get(name) ?? 0;
}
