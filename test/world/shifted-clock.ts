/** Loaded with `--import` into a server under test: another time of day, and quick hours. */

/** Milliseconds to add to the system's time; without it the module does nothing. */
export const SHIFT_MS = 'POSTERN_TEST_SHIFT_MS';

const HOUR_MS = 3_600_000;
const QUICK_MS = 300;

const shiftMs = Number(process.env[SHIFT_MS] ?? 0);

if (shiftMs !== 0) {
  const now = Date.now.bind(Date);
  Date.now = () => now() + shiftMs;
  const wait = globalThis.setTimeout;
  // The hourly clockwork of reports alone: a session that may last two hours must not end at once.
  const quick = (task: () => void, ms = 0): NodeJS.Timeout =>
    wait(task, ms === HOUR_MS ? QUICK_MS : ms);
  globalThis.setTimeout = Object.assign(quick, wait) as typeof setTimeout;
}

/** What makes it noon of today, or of another day, for a server. */
export function atNoon(days = 0): Readonly<Record<string, string>> {
  const noonMs = Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS + 12 * HOUR_MS;
  const shift = noonMs - Date.now() + days * 24 * HOUR_MS;
  return { NODE_OPTIONS: `--import=${import.meta.url}`, [SHIFT_MS]: String(shift || 1) };
}
