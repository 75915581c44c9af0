/** What the server says it can do, by phase and by TLS (RFC 3501 7.2.1): nothing that is untested. */

import { offeredMechanisms } from '../sasl/offer.ts';
import type { Session } from './session.ts';

const ALWAYS = ['IMAP4rev1', 'SASL-IR', 'ID', 'ENABLE'];
const AFTER_LOGIN = [
  'LITERAL+',
  'IDLE',
  'NAMESPACE',
  'UIDPLUS',
  'MOVE',
  'UNSELECT',
  'CHILDREN',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'STATUS=SIZE',
  'ESEARCH',
  'CONDSTORE',
];

/** The list for the moment, `IMAP4rev1` first. */
export function capabilities(session: Session): string {
  const { options, secure, who } = session;
  const names = [...ALWAYS];
  if (who !== undefined) names.push(...AFTER_LOGIN, `APPENDLIMIT=${options.messageBytes}`);
  else {
    names.push('LITERAL-');
    if (secure === undefined && options.startTls) names.push('STARTTLS');
    // No login without TLS, whatever the configuration says (RFC 3501 6.2.3).
    if (secure === undefined) names.push('LOGINDISABLED');
    const offered = offeredMechanisms(secure, options.mechanisms);
    names.push(...offered.map((mechanism) => `AUTH=${mechanism.name}`));
  }
  const hidden = new Set(options.hiddenCapabilities.map((name) => name.toUpperCase()));
  return names.filter((name) => !hidden.has(name.toUpperCase())).join(' ');
}
