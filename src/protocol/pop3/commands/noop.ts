/** NOOP (RFC 1939 5): nothing, and the idle timer starts anew. */

import type { Command } from '../session.ts';

export const noop: Command = {
  verb: 'NOOP',
  phases: ['transaction'],
  run: (session) => session.ok('nothing done'),
};
