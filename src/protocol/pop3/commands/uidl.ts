/** UIDL (RFC 1939 7): the unique id of each message, or of one. */

import { listing } from '../listing.ts';
import type { Command } from '../session.ts';

export const uidl: Command = {
  verb: 'UIDL',
  phases: ['transaction'],
  run: (session, argument) =>
    listing(session, argument, (index) => session.maildrop.uniqueId(index)),
};
