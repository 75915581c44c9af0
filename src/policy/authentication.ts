/** What is known of who sent a message: SPF from MAIL on, signatures once the content is there. */

import type { Awaitable } from '#base/brand.ts';
import type { ArcReport } from '#trust/arc/verify.ts';
import type { DkimReport } from '#trust/dkim/result.ts';
import type { DmarcOutcome } from '#trust/dmarc/evaluate.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';

/** Of one transaction; whoever verifies fills it, checks only read it. */
export interface Authentication {
  /**
   * SPF of MAIL FROM's domain, or of HELO's name for `<>`. Checked when somebody first asks, then
   * the same outcome for the whole transaction; undefined: nothing is verified here.
   */
  spf(): Awaitable<SpfOutcome | undefined>;
  /** Undefined before the end of content, and where messages are not verified (submission). */
  readonly message: MessageAuthentication | undefined;
}

/** What the message itself proved. */
export interface MessageAuthentication {
  readonly dkim: DkimReport;
  readonly arc: ArcReport | undefined;
  readonly dmarc: DmarcOutcome;
}

/** Where nobody verifies: no check that reads it ever decides. */
export const NOTHING_VERIFIED: Authentication = { spf: () => undefined, message: undefined };
