/** Dates of mail (RFC 5322 3.3 and 4.3): read with all that is obsolete, written one way. */

export interface MailDate {
  /** Milliseconds since 1970 UTC. */
  readonly ms: number;
  /** The zone as minutes east of UTC; 0 when it was unknown. */
  readonly zoneMinutes: number;
}

const LENGTH = 1000;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const MONTH_NAMES = MONTHS.toLowerCase();
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
  const bare = text.includes('(') ? withoutComments(text) : text;
  const line = bare
    .replace(/[ \t\r\n]+/g, ' ')
    .trim()
    .toLowerCase();
  const date = DAY_MONTH.exec(line);
  const time = date?.[4] === undefined ? null : TIME.exec(date[4]);
  if (date === null || time === null) return undefined;
  const year = fullYear(date[3] ?? '');
  const month = monthOf(date[2] ?? '');
  const zoneMinutes = zoneOf(time[4] ?? '');
  const [day, hour, minute, second] = [date[1], time[1], time[2], time[3] ?? '0'].map(Number);
  if (year < 1900 || year > 9999 || month < 0 || zoneMinutes === undefined) return undefined;
  if (day === undefined || hour === undefined || minute === undefined || second === undefined) {
    return undefined;
  }
  if (hour > 23 || minute > 59 || second > 60 || day < 1) return undefined;
  if (day > daysOf(year, month)) return undefined;
  const ms = Date.UTC(year, month, day, hour, minute, second) - zoneMinutes * 60_000;
  return { ms, zoneMinutes };
}

/** `Sun, 22 Nov 2026 05:00:00 +0000`: always UTC, so that nothing of the host shows. */
export function formatDate(ms: number): string {
  const date = new Date(ms);
  const month = date.getUTCMonth() * 3;
  const name = MONTHS.slice(month, month + 3);
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two);
  const day = `${DAYS[date.getUTCDay()] ?? ''}, ${two(date.getUTCDate())}`;
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${day} ${name} ${year} ${clock.join(':')} +0000`;
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

function monthOf(name: string): number {
  const at = MONTH_NAMES.indexOf(name);
  return at % 3 === 0 ? at / 3 : -1;
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
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

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
