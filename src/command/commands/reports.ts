/** `postern reports`: what other servers report about mail with our domains. */

import { readFileSync, statSync } from 'node:fs';
import type { Store } from '#store/store.ts';
import type { Command, Context } from '../command.ts';
import { answer, option, withStore } from '../command.ts';
import { CommandError, EXIT, unreadable } from '../exit.ts';
import { columns, harmless } from '../io.ts';
import type { ReadReport } from '../reports/kind.ts';
import { existingAccount } from '../subjects.ts';

const MESSAGES = 1_000;
const REPORTS = 1_000;
const FILE_BYTES = 52_428_800;
/** A column of a table is no place for a novel. */
const CELL = 80;

export const reports: Command = {
  name: 'reports',
  summary: 'show the reports that other servers sent: from files, or from an INBOX',
  details:
    'Show reports about mail with our domains: DMARC aggregate reports (RFC 9990) and TLS ' +
    'reports (RFC 8460). A source is a file (a message, or a report as it came, also packed by ' +
    'gzip or zip) or the address of an account here, whose INBOX is looked through from its ' +
    'newest message on. Without a source the accounts of report_accounts are.',
  arguments: [
    { name: 'source', summary: 'a file, or the address of an account', optional: true, many: true },
  ],
  options: [{ flags: '--kind <name>', summary: 'only reports of this kind: dmarc, tls' }],
  examples: ['postern reports dmarc@example.org --kind dmarc', 'postern reports report.xml.gz'],
  run: show,
};

async function show(context: Context): Promise<void> {
  const { findReports, KIND_NAMES } = await import('../reports/find.ts');
  const kind = option(context, 'kind');
  if (kind !== undefined && !KIND_NAMES.includes(kind)) {
    throw new CommandError(EXIT.usage, `--kind takes ${KIND_NAMES.join(', ')}, not "${kind}"`);
  }
  const found: ReadReport[] = [];
  for (const source of await sourcesOf(context)) {
    const take = (octets: Uint8Array): void => {
      if (found.length < REPORTS) found.push(...findReports(octets, kind));
    };
    if (!source.includes('@') || isFile(source)) take(readFile(source));
    else await eachOfInbox(context, source, take);
  }
  if (found.length === 0) {
    const cure = 'Reports come where the rua= of _smtp._tls and _dmarc in the DNS says.';
    throw new CommandError(EXIT.data, 'there is no report', cure);
  }
  answer(
    context,
    found.map(({ json }) => json),
    () =>
      found
        .map(({ title, rows }) => {
          const cells = rows.map((row) => row.map((cell) => harmless(cell, CELL)));
          return `${harmless(title, 300)}\n${columns(cells)}`;
        })
        .join('\n'),
  );
}

async function sourcesOf(context: Context): Promise<readonly string[]> {
  if (context.rest.length > 0) return context.rest;
  const { report_accounts: accounts } = await context.settings();
  if (accounts.length > 0) return accounts;
  const cure = 'Name a file or an account, or set report_accounts.';
  throw new CommandError(EXIT.usage, 'where are the reports?', cure);
}

function isFile(source: string): boolean {
  return statSync(source, { throwIfNoEntry: false })?.isFile() === true;
}

function readFile(file: string): Uint8Array {
  try {
    if (statSync(file).size <= FILE_BYTES) return readFileSync(file);
  } catch (thrown) {
    throw unreadable(file, thrown, EXIT.data);
  }
  throw new CommandError(EXIT.data, `${harmless(file, 200)}: larger than ${FILE_BYTES} octets`);
}

/** The newest messages of an account's INBOX, newest first, one at a time. */
function eachOfInbox(
  context: Context,
  source: string,
  take: (octets: Uint8Array) => void,
): Promise<void> {
  return withStore(context, async (store: Store) => {
    const account = existingAccount(store.directory, source);
    const mailbox = await store.mail.mailbox(account.id, 'INBOX');
    const uids = mailbox === undefined ? undefined : await store.mail.uids(mailbox.id);
    if (mailbox === undefined || uids === undefined) return;
    for (const uid of uids.uids.slice(-MESSAGES).toReversed()) {
      const [message] = await store.mail.messages(mailbox.id, [[uid, uid]], { limit: 1 });
      if (message === undefined || message.sizeBytes > FILE_BYTES) continue;
      take(await store.mail.octets(message.content, 0, message.sizeBytes));
    }
  });
}
