/** LIST (RFC 1939 5): the size of each message, or of one. */

import { listing } from '../listing.ts';
import type { Command } from '../session.ts';

export const list: Command = {
  verb: 'LIST',
  phases: ['transaction'],
  run: (session, argument) =>
    listing(session, argument, (index) => session.maildrop.sizeBytes(index)),
};
