/** PIPELINING (RFC 2920): commands may come before the replies to those before them. */

import type { Extension } from '../extension.ts';

export const pipelining: Extension = {
  keyword: 'PIPELINING',
  announce: () => 'PIPELINING',
};
