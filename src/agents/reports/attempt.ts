/** One report on its way to one place: whether it got there, and what the log says of it. */

import { Failure } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import type { Log } from '#base/world.ts';

/** `name` is the kind of report: the events are `tls-report-sent` and `tls-report-failed`. */
export async function attempt(
  log: Log,
  name: string,
  about: JsonObject,
  send: () => Promise<void>,
): Promise<boolean> {
  try {
    await send();
    log.event('info', `${name}-sent`, about);
    return true;
  } catch (thrown) {
    log.event('warn', `${name}-failed`, { ...about, reason: Failure.from(thrown).message });
    return false;
  }
}
