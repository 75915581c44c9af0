/** STLS (RFC 2595 4): TLS from here on; nothing that came in clear outlives it. */

import { invariant } from '#base/failure.ts';
import { wordsOf } from '../arguments.ts';
import type { Command, Session, Task } from '../session.ts';

export const stls: Command = {
  verb: 'STLS',
  phases: ['authorization'],
  run(session, argument) {
    if (session.secure !== undefined) return session.error('TLS is already there');
    if (!session.options.startTls) return session.error('no TLS here');
    if (wordsOf(argument).length > 0) return session.error('STLS has no argument');
    return negotiate(session);
  },
};

function* negotiate(session: Session): Task {
  // Commands that somebody put behind STLS would else be read as if TLS had protected them
  // (CVE-2021-33515): no honest client sends any, so the connection ends.
  if (session.inputWaits()) {
    session.tell({ kind: 'violation', what: 'stls-injection' });
    session.error('nothing may follow STLS before TLS is there');
    session.closing = true;
    return;
  }
  session.ok('begin TLS negotiation');
  const resumed = yield { kind: 'start-tls' };
  invariant(resumed.kind === 'secured', 'TLS was negotiated');
  session.secure = resumed.tls;
  session.user = undefined;
}
