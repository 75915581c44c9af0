/** The reader of OpenSMTPD's smtpd.conf (6.4 and later). */

import { readerOf } from '../reader.ts';
import { checksFor, type Rule } from '../rule.ts';

interface Statement {
  readonly words: readonly string[];
  readonly text: string;
  readonly line: number;
}

type SmtpdRule = Rule<readonly Statement[]>;

/** `mx` and `egress` are words of the language, or of OpenBSD alone. */
const PKI = ['pki mail cert "/etc/ssl/mail.pem"', 'pki mail key "/etc/ssl/private/mail.key"'];

const check = checksFor('opensmtpd');
const LINES = 100_000;

/** Statements of a line each; `\` at the end joins lines, `#` begins a comment. */
function parse(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let begun: { text: string; line: number } | undefined;
  for (const [index, raw] of text.split(/\r?\n/, LINES).entries()) {
    const bare = raw.replace(/#.*$/, '').trim();
    const more = bare.endsWith('\\');
    const part = more ? bare.slice(0, -1).trim() : bare;
    const whole: { text: string; line: number } =
      begun === undefined
        ? { text: part, line: index + 1 }
        : { ...begun, text: `${begun.text} ${part}` };
    begun = more ? whole : undefined;
    if (more || whole.text === '') continue;
    const words = whole.text.split(/\s+/).map((word) => word.replace(/^"(.*)"$/, '$1'));
    statements.push({ ...whole, words });
  }
  return statements;
}

const listens = (statements: readonly Statement[]): readonly Statement[] =>
  statements.filter(
    ({ words, text }) =>
      words[0] === 'listen' && !/\bon (?:socket|lo\S*|127\.|::1|localhost)/.test(text),
  );

/** Everybody, by name or as a network (smtpd.conf(5)). */
const FROM_ALL = /\bfrom (?:any|src "?(?:0\.0\.0\.0|::)\/0"?)(?= |$)/;
const FOR_ALL = /\bfor (?:any|domain "?\*"?)(?= |$)/;

const openRelay: SmtpdRule = {
  check: check('open-relay', 'critical', 'Anybody may relay', {
    means: 'A stranger may send mail through this server to any domain.',
    doesNotMean: 'A rule before it may refuse some of it.',
    rfc: ['RFC 5321 7.9'],
    cure: [
      'match from any for domain "example.org" action "local"',
      'match auth from any for any action "relay"',
      'match from local for any action "relay"',
    ],
  }),
  judge: (statements) => {
    const relays = new Set(
      statements
        .filter(({ words }) => words[0] === 'action' && words.includes('relay'))
        .map(({ words }) => words[1]),
    );
    const open = statements.find(
      ({ words, text }) =>
        words[0] === 'match' &&
        FROM_ALL.test(text) &&
        FOR_ALL.test(text) &&
        !/(?<!! ?)\bauth\b/.test(text) &&
        relays.has(words.at(-1)),
    );
    if (open === undefined) return undefined;
    return { parameter: 'match', seen: `"${open.text.slice(0, 100)}"`, line: open.line };
  },
};

const noTls: SmtpdRule = {
  check: check('tls-off', 'medium', 'A listener has no TLS', {
    means: 'Everybody on the way reads mail.',
    doesNotMean: 'Opportunistic TLS stops listeners, not those who change what is sent.',
    rfc: ['RFC 3207 4'],
    cure: [...PKI, 'listen on 0.0.0.0 tls pki mail'],
  }),
  judge: (statements) => {
    const bare = listens(statements).find(
      ({ words }) => !words.some((word) => /^(?:tls|smtps)/.test(word)),
    );
    if (bare === undefined) return undefined;
    return { parameter: 'listen', seen: `"${bare.text.slice(0, 100)}"`, line: bare.line };
  },
  live: ['plaintext.no-tls'],
};

const authInClear: SmtpdRule = {
  check: check('auth-in-clear', 'high', 'Passwords are taken without TLS', {
    means: 'Mail programs send the password in clear; anyone on the way reads it.',
    doesNotMean: 'OpenSMTPD offers AUTH under TLS only, unless tls itself is missing.',
    rfc: ['RFC 4954 4', 'RFC 8314 3.3'],
    cure: [
      ...PKI,
      'listen on 0.0.0.0 tls pki mail',
      'listen on 0.0.0.0 port 587 tls-require pki mail auth',
    ],
  }),
  judge: (statements) => {
    const weak = listens(statements).find(
      ({ words }) =>
        words.some((word) => word.startsWith('auth')) &&
        !words.includes('smtps') &&
        !words.includes('tls-require'),
    );
    if (weak === undefined) return undefined;
    return { parameter: 'listen', seen: `"${weak.text.slice(0, 100)}"`, line: weak.line };
  },
  live: ['plaintext.smtp-auth-offered', 'plaintext.smtp-auth-accepted'],
};

const showsSource: SmtpdRule = {
  check: check('source-shown', 'low', "Users' addresses are written into Received", {
    means: 'Every receiver learns where the author was.',
    doesNotMean: 'It matters on listeners for users only.',
    rfc: ['RFC 6409 8'],
    cure: [
      ...PKI,
      'listen on 0.0.0.0 tls pki mail',
      'listen on 0.0.0.0 port 587 tls-require pki mail auth mask-src',
    ],
  }),
  judge: (statements) => {
    const shown = listens(statements).find(
      ({ words }) => words.some((word) => word.startsWith('auth')) && !words.includes('mask-src'),
    );
    if (shown === undefined) return undefined;
    return { parameter: 'listen', seen: `"${shown.text.slice(0, 100)}"`, line: shown.line };
  },
};

/** OpenSMTPD. */
export const opensmtpd = readerOf(
  'opensmtpd',
  (text) =>
    /^(?:listen on|match (?:from|for|auth|tag|!)|action ("?)\S+\1 |pki \S+ cert)/m.test(text),
  parse,
  [openRelay, noTls, authInClear, showsSource],
  () => undefined,
);
