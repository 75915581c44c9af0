/** Moments as text, in UTC. */

/** `2026-11-22 09:00:00 UTC`; times that no calendar has are `never`. */
export function moment(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return 'never';
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The same with the zone that was written: `2026-11-22 10:00:00 +0100`. */
export function localMoment(ms: number, zoneMinutes: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8e15) return 'never';
  const local = new Date(ms + zoneMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const minutes = Math.abs(zoneMinutes);
  const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0');
  return `${local} ${zoneMinutes < 0 ? '-' : '+'}${digits}`;
}

/** The English day of the week of a date, if the text begins with another one. */
export function otherDay(
  text: string,
  { ms, zoneMinutes }: { readonly ms: number; readonly zoneMinutes: number },
): string | undefined {
  const said = DAYS.indexOf(text.trim().slice(0, 3).toLowerCase());
  const local = new Date(ms + zoneMinutes * 60_000);
  const day = local.getUTCDay();
  if (said === -1 || Number.isNaN(day) || said === day || hasLeapSecond(text)) return undefined;
  return local.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
}

const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `23:59:60` counts as the day after. */
function hasLeapSecond(text: string): boolean {
  return text.includes(':60');
}
