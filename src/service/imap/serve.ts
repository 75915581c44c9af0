/** Serves one IMAP connection: machine, host and loop put together. */

import type { SessionId } from '#base/brand.ts';
import type { Connection } from '#base/world.ts';
import { createImapMachine } from '#protocol/imap/machine.ts';
import { type Drive, drive } from '../drive.ts';
import type { ImapListener, ImapSite } from './listener.ts';
import { ImapSession } from './session.ts';

/** Starts the session; TLS on accept (993) was negotiated before. `closed` is called once. */
export function serveImap(
  connection: Connection,
  listener: ImapListener,
  site: ImapSite,
  session: SessionId,
  closed: () => void,
): Drive<unknown, unknown> {
  const startTls = site.tls !== undefined && connection.secure === undefined;
  const machine = createImapMachine(connection.secure, { ...listener.machine, startTls });
  const host = new ImapSession(site, listener, connection, session, closed);
  const driving = drive(connection, machine, host, {
    clock: site.clock,
    log: site.log,
    tls: site.tls,
    handshakeMs: site.handshakeMs,
    sessionMs: listener.sessionMs,
  });
  // One poke at a time, however fast the mailbox changes: the machine looks at what there is.
  let poked = false;
  host.news = () => {
    if (poked) return;
    poked = true;
    driving.poke(() => {
      poked = false;
      return machine.changed();
    });
  };
  return driving;
}
