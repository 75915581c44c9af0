/** ENHANCEDSTATUSCODES (RFC 2034): replies carry RFC 3463's codes. */

import type { Extension } from '../extension.ts';

export const enhancedStatusCodes: Extension = {
  keyword: 'ENHANCEDSTATUSCODES',
  announce: () => 'ENHANCEDSTATUSCODES',
};
