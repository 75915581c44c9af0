/** Fields that tell from which address the author wrote. */

import type { Sign } from '../case.ts';

const FIELDS = new Set([
  'x-originating-ip',
  'x-sender-ip',
  'x-client-ip',
  'x-source-ip',
  'x-remote-ip',
  'x-yahoo-post-ip',
  'x-php-originating-script',
  'x-php-script',
  'x-authenticated-sender',
  'x-authenticated-user',
  'x-ms-exchange-organization-originalclientipaddress',
]);

export const originatingIp: Sign = {
  id: 'originating-ip',
  title: 'where the author sat',
  strength: 'context',
  innocent: 'webmail and hosters that write it for their abuse desk; a claim like all the rest',
  look: ({ specimen }) =>
    specimen.head.fields
      .filter(({ key }) => FIELDS.has(key))
      .slice(0, 10)
      .map(({ name, value }) => ({ text: `${name} tells it`, quotes: [value] })),
};
