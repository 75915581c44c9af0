/** The listeners that read mail: what the settings say for IMAP and POP3. */

import { serveImap } from '#service/imap/serve.ts';
import { MaildropLocks } from '#service/pop3/locks.ts';
import { servePop3 } from '#service/pop3/serve.ts';
import type { Site } from '#service/site.ts';
import type { Settings } from '../configuration/settings.ts';
import type { Accept } from './door.ts';
import { sessionId } from './session-id.ts';

/** Serves IMAP on every row that speaks it. */
export function imapAccept(settings: Settings, site: Site): Accept {
  const machine = {
    lineBytes: settings.imap_line_length_limit,
    messageBytes: settings.message_size_limit,
    loginFailures: settings.smtpd_auth_failure_limit,
    idleMs: settings.imap_idle_timeout,
  };
  const sessionMs = settings.imap_session_time_limit;
  return (connection, { name }, closed) =>
    serveImap(connection, { name, machine, sessionMs }, site, sessionId(site.random), closed);
}

/** Serves POP3; all rows share the locks, whichever way a maildrop is opened. */
export function pop3Accept(settings: Settings, site: Site): Accept {
  const machine = {
    lineBytes: settings.line_length_limit,
    loginFailures: settings.smtpd_auth_failure_limit,
    idleMs: settings.pop3_idle_timeout,
  };
  const sessionMs = settings.pop3_session_time_limit;
  const locks = new MaildropLocks();
  return (connection, { name }, closed) => {
    const listener = { name, machine, locks, sessionMs };
    return servePop3(connection, listener, site, sessionId(site.random), closed);
  };
}
