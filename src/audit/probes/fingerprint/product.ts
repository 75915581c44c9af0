/** Which program answers, in which version, on what system: told by behaviour, not by banner alone. */

import type { Check } from '../../check.ts';
import { absent, found, likely, type Outcome } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { collectAnswers } from './answers.ts';
import { identify, systemIn, versionIn } from './identify.ts';
import type { Question } from './signatures.ts';

const PRODUCT: Check = {
  id: 'fingerprint.product',
  title: 'The server program can be told from its answers',
  severity: 'info',
  means: 'An attacker knows which weaknesses to try first, also where the greeting is masked.',
  doesNotMean: 'It is no weakness: error texts cannot be hidden altogether. It chooses the cures.',
  rfc: [],
  cures: [],
};

const CURES: Check['cures'] = [
  { product: 'postfix', lines: ['smtpd_banner = $myhostname ESMTP'] },
  { product: 'exim', lines: ['smtp_banner = $smtp_active_hostname ESMTP'] },
  { product: 'opensmtpd', lines: ['No setting changes the greeting; a proxy in front can.'] },
  {
    product: 'sendmail',
    lines: [
      "define(`confSMTP_LOGIN_MSG', `$j')dnl",
      // Without the file it tells its version too.
      '# /etc/mail/helpfile, instead of what is there:',
      '#vers\t2',
      'smtp\tThere is no help.',
    ],
  },
  { product: 'dovecot', lines: ['login_greeting = ready.', 'imap_id_send = name *'] },
  { product: 'postern', lines: ['Greetings never name the program; update Postern.'] },
];

const VERSION_MEANS =
  'Whoever reads it can look up the weaknesses of exactly this version, in bulk and unnoticed.';
const VERSION_NOT =
  'An old number is no proof of a weakness: distributions cure old versions without renaming them.';

function versionCheck(id: string, title: string, severity: 'low' | 'info'): Check {
  return {
    id: `fingerprint.${id}`,
    title,
    severity,
    means: VERSION_MEANS,
    doesNotMean: VERSION_NOT,
    rfc: ['RFC 5321 7.5'],
    cures: CURES,
  };
}

const GREETING_VERSION = versionCheck('greeting-version', 'The greeting tells a version', 'low');
const HELP_VERSION = versionCheck('help-version', 'HELP tells a version', 'low');
const ID_VERSION = versionCheck('id-version', 'IMAP ID tells a version before login', 'low');
const CAPABILITY_VERSION = versionCheck(
  'capability-version',
  'The list of capabilities (IMPLEMENTATION) tells a version',
  'low',
);
const SYSTEM = versionCheck('system', 'An answer tells the operating system', 'low');
const NAMED = versionCheck('greeting-product', 'The greeting names the program', 'info');

export const product: ServiceProbe = {
  name: 'product',
  scope: 'service',
  level: 'safe',
  checks: [PRODUCT, GREETING_VERSION, HELP_VERSION, ID_VERSION, CAPABILITY_VERSION, SYSTEM, NAMED],
  fits: () => true,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const answers = await collectAnswers(context);
  const identity = identify(context.service.protocol, answers);
  const texts = [...answers.values()].join('\n');
  const version = versionIn(texts);
  if (identity.kind === 'unknown') {
    const details = { product: 'unknown', answers: Object.fromEntries(answers) };
    context.tell(absent(PRODUCT, `unknown: ${identity.why}`, { details }));
  } else {
    const { product, traits, confidence } = identity;
    const details = { product, traits, ...(version === undefined ? {} : { version }) };
    const seen = `${product}, told by ${traits.join(', ')}`;
    const tell = confidence === 'confirmed' ? found : likely;
    context.tell(tell(PRODUCT, seen, { details }));
  }
  context.tell(versionIn1(GREETING_VERSION, 'greeting', answers));
  context.tell(versionIn1(HELP_VERSION, 'help', answers));
  context.tell(versionIn1(ID_VERSION, 'identity', answers));
  context.tell(versionIn1(CAPABILITY_VERSION, 'capabilities', answers));
  const system = systemIn(texts);
  context.tell(
    system === undefined
      ? absent(SYSTEM, 'no answer names an operating system')
      : found(SYSTEM, `an answer names ${system}`),
  );
  const greeting = answers.get('greeting') ?? '';
  const name = NAMES.exec(greeting)?.[0];
  context.tell(
    name === undefined
      ? absent(NAMED, 'the greeting names no program that is known')
      : found(NAMED, `the greeting is "${greeting}"`),
  );
}

const NAMES =
  /\b(?:Postfix|Exim|OpenSMTPD|Sendmail|Courier|Cyrus|Dovecot|qmail|Microsoft|Exchange|Haraka|Postern|Zimbra|MDaemon|Kerio|hMailServer|Stalwart|Python SMTP)\b/i;

function versionIn1(
  check: Check,
  question: Question,
  answers: ReadonlyMap<Question, string>,
): Outcome {
  const text = answers.get(question);
  if (text === undefined) return absent(check, `nothing was said to ${question}`);
  // RFC 5804 1.7: VERSION is the protocol's.
  const version = versionIn(
    question === 'capabilities' ? text.replace(/\bVERSION 1\.\d/, '') : text,
  );
  if (version === undefined) return absent(check, `no version in "${text.slice(0, 200)}"`);
  return found(check, `version ${version} in "${text.slice(0, 200)}"`, { details: { version } });
}
