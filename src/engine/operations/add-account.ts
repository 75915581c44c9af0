/** addAccount: an account with INBOX and the special-use mailboxes, all subscribed (RFC 6154). */

import type { AccountId } from '#base/brand.ts';
import type { SpecialUse } from '#store/mail.ts';
import { directoryChanged, domainOf, hasAccount, hasAlias, hasDomain } from '../steps/directory.ts';
import { makeMailbox } from '../steps/mailbox.ts';
import type { Run } from '../steps/step.ts';

const INSERT = `INSERT INTO accounts (address, domain, enabled, created_ms, password, scram_salt,
  scram_iterations, scram_stored_key, scram_server_key) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)`;

const MAILBOXES: readonly (readonly [name: string, use: SpecialUse | undefined])[] = [
  ['INBOX', undefined],
  ['Drafts', '\\Drafts'],
  ['Sent', '\\Sent'],
  ['Junk', '\\Junk'],
  ['Trash', '\\Trash'],
  ['Archive', '\\Archive'],
];

export const addAccount: Run<'addAccount'> = (step, { address, credentials, nowMs }) => {
  const domain = domainOf(address);
  if (!hasDomain(step, domain)) return { kind: 'no-such-domain' };
  if (hasAccount(step, address) || hasAlias(step, address)) return { kind: 'exists' };
  const { scram } = credentials;
  const account = step.sql.insert(
    INSERT,
    address,
    domain,
    nowMs,
    credentials.password,
    scram.salt,
    scram.iterations,
    scram.storedKey,
    scram.serverKey,
  );
  for (const [name, specialUse] of MAILBOXES) {
    makeMailbox(step, account, name, { specialUse, isSubscribed: true });
  }
  directoryChanged(step);
  return { kind: 'added', account: account as AccountId };
};
