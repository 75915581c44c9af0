/** STARTTLS (RFC 3207): announced in clear only, where there is a certificate. */

import type { Extension } from '../extension.ts';

export const startTls: Extension = {
  keyword: 'STARTTLS',
  announce: ({ settings, secure }) =>
    settings.startTls && secure === undefined ? 'STARTTLS' : undefined,
};
