/** A signature with `l=`: anybody may have added to the body (RFC 6376 8.2). */

import type { Sign } from '../case.ts';

export const openBody: Sign = {
  id: 'open-body',
  title: 'a signature that covers only the beginning',
  strength: 'weak',
  innocent: 'a signer who wanted lists to add footers',
  look: ({ authentication }) =>
    authentication.signatures.dkim.flatMap(({ domain, unsignedBytes }) =>
      unsignedBytes === undefined
        ? []
        : [
            {
              text: `${domain ?? ''}: the last ${unsignedBytes} octets are not signed`,
              quotes: [],
            },
          ],
    ),
};
