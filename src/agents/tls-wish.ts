/** What a message says of TLS on its way: by REQUIRETLS, or by its header (RFC 8689 4.1). */

import { latin1 } from '#base/bytes.ts';
import { firstField, readHead } from '#message/fields.ts';
import type { MailParameters } from '#protocol/smtp/parameters.ts';
import type { Envelope } from '#store/queue.ts';

const SAYS = /(?:^|\n)tls-required/i;

/** REQUIRETLS wins over `TLS-Required: No`, which is all that the field can say (RFC 8689 3). */
export function tlsWish(
  parameters: Pick<MailParameters, 'requireTls'>,
  head: Uint8Array,
): Envelope['tls'] {
  if (parameters.requireTls === true) return 'required';
  // Few messages have the field: the head of the others is not read again.
  if (!SAYS.test(latin1(head))) return undefined;
  const field = firstField(readHead(head), 'TLS-Required');
  return field?.value.trim().toLowerCase() === 'no' ? 'optional' : undefined;
}
