/** Serves one SMTP connection: machine, host and loop put together. */

import type { SessionId } from '#base/brand.ts';
import type { Connection } from '#base/world.ts';
import { smtpServer } from '#protocol/smtp/server/machine.ts';
import { type Drive, drive } from '../drive.ts';
import type { Site } from '../site.ts';
import type { SmtpListener } from './listener.ts';
import { SmtpSession } from './session.ts';

/** Starts the session; TLS on accept (465) was negotiated before. `closed` is called once. */
export function serveSmtp(
  connection: Connection,
  listener: SmtpListener,
  site: Site,
  session: SessionId,
  closed: () => void,
): Drive<unknown, unknown> {
  const machine = smtpServer(listener.machine, connection.secure);
  const host = new SmtpSession(site, listener, connection, machine, session, closed);
  return drive(connection, machine, host, {
    clock: site.clock,
    log: site.log,
    tls: site.tls,
    handshakeMs: site.handshakeMs,
    sessionMs: listener.sessionMs,
  });
}
