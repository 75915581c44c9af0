/** Serves one POP3 connection: machine, host and loop put together. */

import type { SessionId } from '#base/brand.ts';
import type { Connection } from '#base/world.ts';
import { pop3Server } from '#protocol/pop3/machine.ts';
import type { Pop3Fact, Pop3Question } from '#protocol/pop3/questions.ts';
import { drive } from '../drive.ts';
import type { Drive } from '../drive.ts';
import type { Site } from '../site.ts';
import type { Pop3Listener } from './listener.ts';
import { Pop3Session } from './session.ts';
import type { Pop3Site } from './session.ts';

/**
 * Starts the session; TLS on accept (995) was negotiated before. STLS is offered when the site
 * has a certificate. `closed` is called once.
 */
export function servePop3(
  connection: Connection,
  listener: Pop3Listener,
  site: Pop3Site & Pick<Site, 'hostname' | 'tls' | 'handshakeMs'>,
  session: SessionId,
  closed: () => void,
): Drive<Pop3Question, Pop3Fact> {
  const startTls = site.tls !== undefined;
  const options = { hostname: site.hostname, startTls, ...listener.machine };
  const machine = pop3Server(options, connection.secure);
  const host = new Pop3Session(site, listener, connection, session, closed);
  return drive(connection, machine, host, {
    clock: site.clock,
    log: site.log,
    tls: site.tls,
    handshakeMs: site.handshakeMs,
    sessionMs: listener.sessionMs,
  });
}
