/** CHUNKING (RFC 3030): BDAT, content in runs of announced length. */

import type { Extension } from '../extension.ts';

export const chunking: Extension = {
  keyword: 'CHUNKING',
  announce: () => 'CHUNKING',
};
