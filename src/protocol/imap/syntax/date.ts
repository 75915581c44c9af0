/** Dates in commands and INTERNALDATE (RFC 3501 9 `date`, `date-time`): real days only. */

import { latin1 } from '#base/bytes.ts';
import { bad } from '../completion.ts';
import type { Cursor } from './cursor.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
const DATE = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/;
const DATE_TIME = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;

/** `1-Feb-1994`, quoted or not, as days since 1970. */
export function readDate(cursor: Cursor): number {
  const found = DATE.exec(latin1(cursor.astring()));
  const day = found === null ? undefined : dayNumber(found[1], found[2], found[3]);
  if (day === undefined) throw bad('A date has the form 1-Feb-1994');
  return day;
}

/** `"17-Jul-1996 02:44:25 -0700"` as milliseconds since 1970. */
export function readDateTime(cursor: Cursor): number {
  const found = DATE_TIME.exec(latin1(cursor.string()));
  if (found === null) throw bad('A date-time has the form "17-Jul-1996 02:44:25 -0700"');
  const [, dayText, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = found;
  const day = dayNumber(dayText?.trim(), month, year);
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  const [zh, zm] = [Number(zoneHours), Number(zoneMinutes)];
  // 60 is a leap second: it is there, one a few years.
  if (day === undefined || h > 23 || m > 59 || s > 60 || zh > 23 || zm > 59) {
    throw bad('There is no such date and time');
  }
  const zone = (zh * 60 + zm) * (sign === '-' ? -1 : 1);
  return day * DAY_MS + ((h * 60 + m - zone) * 60 + s) * 1_000;
}

/** Always in UTC: what zone a message came in from is not kept. */
export function formatDateTime(ms: number): string {
  const date = new Date(ms);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  const month = MONTHS[date.getUTCMonth()] ?? 'Jan';
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `"${day}-${month}-${year} ${date.toISOString().slice(11, 19)} +0000"`;
}

/** The day of an instant, in UTC, as days since 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/**
 * The day that a Date field names, whatever its time and zone: that is what SENTSINCE and its
 * kin compare (RFC 3501 6.4.4). undefined when the text names none.
 */
export function dayOfField(field: string): number | undefined {
  const found = /(?:^|[ ,])(\d{1,2})[ -]+([A-Za-z]{3})[a-z]*[ -]+(\d{4}|\d{2})(?: |$)/.exec(
    field.slice(0, 100),
  );
  if (found === null) return undefined;
  const year = Number(found[3]);
  // RFC 5322 4.3: two digits are 1950 to 2049.
  const full = found[3]?.length === 2 ? year + (year < 50 ? 2000 : 1900) : year;
  return dayNumber(found[1], found[2], String(full));
}

function dayNumber(
  day: string | undefined,
  month: string | undefined,
  year: string | undefined,
): number | undefined {
  const index = MONTHS.findIndex((name) => name.toLowerCase() === month?.toLowerCase());
  const date = new Date(0);
  date.setUTCFullYear(Number(year), index, Number(day));
  const real = index >= 0 && Number(day) > 0 && date.getUTCMonth() === index;
  return real && date.getUTCDate() === Number(day) ? dayOf(date.getTime()) : undefined;
}
