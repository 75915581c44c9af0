/** What the steps of an SMTP session share: the site, the listener, the story so far. */

import type { JsonObject } from '#base/json.ts';
import type { Refusals } from '../refusals.ts';
import type { Site } from '../site.ts';
import type { SmtpListener } from './listener.ts';
import type { Story } from './story.ts';

export interface SmtpContext {
  readonly site: Site;
  readonly listener: SmtpListener;
  readonly story: Story;
  readonly refusals: Refusals;
  /** Who talks to us, over what: for logs and the ledger. */
  facts(): JsonObject;
}
