/** What a weak configuration of a server says, and why some of it may remain. */

import type { Level } from '#audit/check.ts';

export interface WeakPlan {
  readonly id: string;
  readonly server: string;
  readonly settings: string;
  readonly services?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly level?: Level;
  readonly options?: readonly string[];
  /** Groups or checks that are tried; each check that is found and has lines is cured. */
  readonly only: readonly string[];
  /** Must be found, or the plan shows nothing. */
  readonly planted: readonly string[];
  /** Checks that the lines do not end, and why: the cure says so, or it cannot be shown here. */
  readonly remains?: Readonly<Record<string, string>>;
  /** Controls: lines that are no cure, as they stood there once; the trial must say so. */
  readonly wrong?: readonly { readonly check: string; readonly lines: readonly string[] }[];
  /** What of it is tried in the quick run. */
  readonly quick?: readonly string[];
}

/** Groups in which every server shows something as it comes. */
export const MANNERS = ['hygiene', 'exposure', 'fingerprint', 'users', 'configuration', 'parsing'];
export const SLOWED = 'refusing unknown recipients in the session is right: it is only slowed';
export const COUNTED = 'hops are counted in the queue: the message is bounced there';
export const SELF = 'the certificate of the lab is its own';
