/** Fields beside the trace that tell something: envelope, people, thread, programs, lists, filters. */

import type { Examined } from '../examine.ts';
import { quoteText } from './words.ts';

export interface Telling {
  readonly group: string;
  readonly name: string;
  /** Encoded words decoded; nothing made harmless yet. */
  readonly value: string;
  /** It stands above the boundary's line: a host that is trusted wrote it, or let it stand. */
  readonly above: boolean;
}

const FIELDS = 200;

/** Names in lower case; a pattern is anchored at both ends. */
const GROUPS: readonly (readonly [group: string, names: RegExp])[] = [
  [
    'envelope',
    /^(?:return-path|delivered-to|envelope-to|x-(?:original|envelope|rcpt)-(?:to|from))$/,
  ],
  ['people', /^(?:sender|reply-to|to|cc|bcc|resent-(?:from|sender|to|cc|bcc|date|message-id))$/],
  ['thread', /^(?:message-id|in-reply-to|references|thread-(?:index|topic)|date)$/],
  ['program', /^(?:user-agent|x-(?:mailer|mimeole|php-.{1,60}|priority|msmail-priority))$/],
  ['list', /^(?:list-.{1,60}|precedence|feedback-id|cfbl-.{1,60}|mailing-list|errors-to)$/],
  ['automatic', /^(?:auto-submitted|x-auto-response-suppress|x-failed-recipients|x-autoreply)$/],
  ['content', /^(?:mime-version|content-.{1,60})$/],
  [
    'filters',
    /^(?:received-spf|x-(?:spam|virus|rspamd|forefront|microsoft|ms-exchange|barracuda|proofpoint|mimecast|ironport|amavis|bogosity|gm|sg|ses|mailgun|sender-id|dspam|scanned|cmae|vade|sophos)(?:-.{1,80})?)$/,
  ],
];

/** In the order of the header, at most two hundred. Claims, whatever they say. */
export function tellingFields({ specimen, route }: Examined): readonly Telling[] {
  const found: Telling[] = [];
  const end = route.boundary?.field.start ?? 0;
  for (const { key, name, value, start } of specimen.head.fields) {
    if (found.length === FIELDS) break;
    const group = key.length > 100 ? undefined : GROUPS.find(([, names]) => names.test(key))?.[0];
    if (group !== undefined)
      found.push({ group, name, value: quoteText(value), above: start < end });
  }
  return found;
}
