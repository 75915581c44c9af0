/** BINARYMIME (RFC 3030 3): content without lines, by BDAT only. */

import type { Extension } from '../extension.ts';

export const binaryMime: Extension = {
  keyword: 'BINARYMIME',
  announce: ({ settings }) => (settings.withheld.includes('CHUNKING') ? undefined : 'BINARYMIME'),
};
