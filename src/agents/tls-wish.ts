/** What a message says of TLS on its way: by REQUIRETLS, or by its header (RFC 8689 4.1). */

import { type Head, firstField } from '#message/fields.ts';
import type { MailParameters } from '#protocol/smtp/parameters.ts';
import type { Envelope } from '#store/queue.ts';

/** REQUIRETLS wins over `TLS-Required: No`, which is all that the field can say (RFC 8689 3). */
export function tlsWish(
  parameters: Pick<MailParameters, 'requireTls'>,
  head: Head,
): Envelope['tls'] {
  if (parameters.requireTls === true) return 'required';
  const field = firstField(head, 'TLS-Required');
  return field?.value.trim().toLowerCase() === 'no' ? 'optional' : undefined;
}
