/** What a person reads when the server is up: who, where, and lines to paste that work. */

import type { Io } from '../io.ts';
import { columns, harmless, styled } from '../io.ts';
import type { DemoAccount } from './accounts.ts';
import { TRAP_ACCOUNT } from './demo.ts';
import type { ListenerName } from './listeners.ts';
import { reachable } from './ready.ts';
import type { ReadyFacts } from './ready.ts';

export interface BannerFacts extends ReadyFacts {
  readonly dataDirectory: string;
  readonly tookMs: number;
  /** How the program is called here: `npx postern` in a checkout, else `postern`. */
  readonly program: string;
  /** ` --data DIR` where commands need it to find this data directory. */
  readonly dataOption: string;
}

/** The page of the demo. */
export function demoBanner(facts: BannerFacts, io: Pick<Io, 'colour'>): string {
  const bold = (text: string): string => styled(io, 'bold', text);
  const parts = [
    `${bold('Postern')} is ready (${Math.round(facts.tookMs)} ms): the demo, on loopback only.\n`,
    `  domain   ${facts.domain}\n  data     ${facts.dataDirectory}\n`,
    facts.ca === undefined ? '' : `  CA       ${facts.ca}\n`,
    `\n${columns(facts.accounts.map((account) => accountRow(account, bold)))}`,
    passwordNote(facts),
    `\n${places(facts)}`,
    '\nMail for other domains is not sent: it is kept in the INBOX of ' +
      `${TRAP_ACCOUNT} (read it over IMAP or POP3).\n`,
    `\n${bold('Lines to paste')}${pasteNote(facts)}\n\n`,
    pasteLines(facts)
      .map((line) => `${line}\n\n`)
      .join(''),
    'Ctrl-C stops it.\n',
  ];
  return parts.join('');
}

/** One paragraph for a configured server on a terminal. */
export function serverBanner(facts: BannerFacts): string {
  const took = Math.round(facts.tookMs);
  return `Postern is ready (${took} ms) as ${facts.domain}, data in ${facts.dataDirectory}.\n${places(facts)}`;
}

/** Commands that work as they are printed, in the shell of the person who reads them. */
export function pasteLines(facts: BannerFacts): readonly string[] {
  const place = (name: ListenerName): string => {
    const found = facts.listeners.find(({ row }) => row.name === name)?.places[0];
    return found === undefined ? '127.0.0.1:0' : `${reachable(found.address)}:${found.port}`;
  };
  const ca = quote(facts.ca ?? '');
  const from = facts.accounts.find(({ address }) => address.startsWith('alice@'));
  const to = facts.accounts.find(({ address }) => address.startsWith('bob@'));
  if (from === undefined || to === undefined) return [];
  const [alice, bob] = [from.address, to.address];
  const [host, port] = place('submission').split(':');
  return [
    `swaks --server ${host} --port ${port} --tls --auth PLAIN --auth-user ${alice} ` +
      `--auth-password ${secret(from)} --from ${alice} --to ${bob}`,
    `printf 'From: ${alice}\\r\\nTo: ${bob}\\r\\nSubject: Hello\\r\\n\\r\\nHello, Bob.\\r\\n' | ` +
      `curl --cacert ${ca} --user ${alice}:${secret(from)} --mail-from ${alice} ` +
      `--mail-rcpt ${bob} --upload-file - smtps://${place('submissions')}`,
    `curl --cacert ${ca} --user ${bob}:${secret(to)} ` +
      `'imaps://${place('imaps')}/INBOX;MAILINDEX=1'`,
    `openssl s_client -quiet -crlf -starttls smtp -CAfile ${ca} -connect ${place('submission')}`,
  ];
}

function accountRow(account: DemoAccount, bold: (text: string) => string): readonly string[] {
  const password = account.password?.reveal();
  return [`  ${account.address}`, password === undefined ? '' : `password ${bold(password)}`];
}

function passwordNote(facts: BannerFacts): string {
  if (facts.accounts.length === 0) return '';
  if (facts.accounts.some(({ password }) => password !== undefined)) {
    return '  These passwords are shown this once and kept nowhere.\n';
  }
  return (
    '  Their passwords were shown at the first start. To set a new one:\n' +
    `  ${facts.program} account password alice@demo.test --generate${facts.dataOption}\n`
  );
}

function pasteNote(facts: BannerFacts): string {
  const known = facts.accounts.every(({ password }) => password !== undefined);
  return known ? '' : ' (put the passwords in place of PASSWORD)';
}

function places(facts: ReadyFacts): string {
  return columns(
    facts.listeners.map(({ row, places: bound, instead }) => [
      `  ${row.name}`,
      TLS_WORDS[row.tls],
      bound
        .map(({ address, port }) =>
          address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
        )
        .join(' '),
      ...(instead === undefined ? [] : [`(${instead} is in use)`]),
    ]),
  );
}

const TLS_WORDS = { none: 'clear', starttls: 'STARTTLS', implicit: 'TLS' } as const;

/** Generated passwords have no character that a shell reads. */
function secret(account: DemoAccount): string {
  return account.password?.reveal() ?? 'PASSWORD';
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${harmless(text).replaceAll("'", "'\\''")}'`;
}
