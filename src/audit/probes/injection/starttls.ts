/** Octets behind STARTTLS in clear: whether a server executes them as if TLS had brought them. */

import type { Check } from '../../check.ts';
import { absent, type Controls, found, likely, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { type Dialect, clearText, dialectOf, noSession, shown } from './dialect.ts';
import { type Attempt, attempt, type Heard } from './session.ts';
import { injectionCheck } from './cures.ts';

const COMMAND = injectionCheck(
  'starttls-command',
  'high',
  'Commands behind STARTTLS are executed under TLS',
  {
    means:
      'Whoever sits in the middle puts commands into a session that the victim believes protected: ' +
      'mail is sent from it, passwords end up in a message of the attacker (CVE-2011-0411).',
    doesNotMean: 'Nothing of what the victim says under TLS can be read by it alone.',
    rfc: ['RFC 3207 4.2', 'RFC 2595 3.1', 'RFC 5804 2.2'],
  },
);
const SEGMENTS = injectionCheck(
  'starttls-segments',
  'high',
  'Commands behind STARTTLS are executed under TLS when they come in several segments',
  {
    means: 'The buffer is emptied, but too early: what arrives a moment later counts as protected.',
    doesNotMean: 'Nothing of what the victim says under TLS can be read by it alone.',
    rfc: ['RFC 3207 4.2'],
  },
);
const PARTIAL = injectionCheck(
  'starttls-partial-line',
  'high',
  'A part of a line behind STARTTLS is put before the first line under TLS',
  {
    means:
      'Whoever sits in the middle chooses how the first command of the victim begins, and so what it ' +
      'does: it becomes an argument, or is lost.',
    doesNotMean: 'Whole lines may be dropped as they should be.',
    rfc: ['RFC 3207 4.2'],
  },
);
const SILENT = injectionCheck(
  'starttls-silent',
  'high',
  'Commands behind STARTTLS are executed, and only their answers dropped',
  {
    means: 'The session is in a state that the attacker chose, and the victim hears nothing of it.',
    doesNotMean: 'Nothing of what the victim says under TLS can be read by it alone.',
    rfc: ['RFC 3207 4.2'],
  },
);
const CLEAR = injectionCheck(
  'starttls-clear-answer',
  'medium',
  'Commands behind STARTTLS are answered in clear before TLS',
  {
    means:
      'Clients that keep what they read take such answers for protected ones: an attacker answers in ' +
      "the server's place.",
    doesNotMean: 'A client that drops its buffer at TLS is safe.',
    rfc: ['RFC 3207 4', 'RFC 3207 4.2'],
  },
);

export const startTlsInjection: ServiceProbe = {
  name: 'starttls-injection',
  scope: 'service',
  level: 'safe',
  checks: [COMMAND, SEGMENTS, PARTIAL, SILENT, CLEAR],
  fits: ({ tls }) => tls === 'starttls',
  run,
};

type Try = (behind: Omit<Attempt, 'behind'> & { readonly behind?: string }) => Promise<Heard>;

/** What a session without, and one with the command said rightly, sound like. */
interface Ground {
  readonly plain: readonly string[];
  readonly controls: Controls;
}

async function run(context: ServiceContext): Promise<void> {
  const dialect = dialectOf(context.service.protocol, context.options.heloName);
  const go: Try = ({ behind = '', ...rest }) => attempt(context, dialect, { behind, ...rest });
  const ground = await groundOf(dialect, go);
  const line = `${dialect.harmless}\r\n`;
  const whole = await go({ behind: line });
  context.tell(executed(COMMAND, ground, whole));
  context.tell(inClear(whole));
  // The end of the STARTTLS line comes with the command, and then behind everything else.
  const cut = await go({ behind: line, cuts: [1] });
  const late = cut.kind === 'heard' ? cut : await go({ behind: line, cuts: [2] });
  context.tell(executed(SEGMENTS, ground, late));
  context.tell(await partial(dialect, ground, go));
  context.tell(await silent(context, dialect, ground, whole, go));
}

/** Two sessions without anything (sanity), one with the command in its place (positive). */
async function groundOf(dialect: Dialect, go: Try): Promise<Ground> {
  const first = await go({});
  const second = await go({});
  if (first.kind !== 'heard') throw noSession(`without anything behind STARTTLS: ${first.why}`);
  if (second.kind !== 'heard' || shown(second.answers) !== shown(first.answers)) {
    throw noSession('two equal sessions are answered differently: nothing can be compared');
  }
  const spoken = await go({ talk: [dialect.harmless, dialect.first, dialect.leave] });
  const heard = spoken.kind === 'heard' && spoken.answers.length === first.answers.length + 1;
  if (!heard)
    throw noSession(`${dialect.harmless} under TLS is not answered: it would not be seen`);
  return {
    plain: first.answers,
    controls: { sanity: { passed: 2, of: 2 }, positive: { passed: 1, of: 1 } },
  };
}

/** More answers than questions: the one too many belongs to what was injected. */
function executed(check: Check, { plain, controls }: Ground, heard: Heard): Outcome {
  if (heard.kind === 'refused') return absent(check, `not taken: ${heard.why}`, { controls });
  const seen = `under TLS ${shown(heard.answers)}; without it ${shown(plain)}`;
  if (heard.answers.length > plain.length) return found(check, seen, { controls });
  if (shown(heard.answers) === shown(plain)) return absent(check, 'dropped', { controls });
  return unclear(check, `another answer, but none too many: ${seen}`, { controls });
}

function inClear(heard: Heard): Outcome {
  if (heard.kind === 'refused') return absent(CLEAR, `not taken: ${heard.why}`);
  return heard.clear.length === 0
    ? absent(CLEAR, 'nothing comes in clear behind the agreement')
    : found(CLEAR, `in clear, behind the agreement: "${clearText(heard.clear)}"`);
}

/** A letter before the first command makes it one that nobody knows; said again it is known. */
async function partial(dialect: Dialect, ground: Ground, go: Try): Promise<Outcome> {
  const { controls, plain } = ground;
  const talk = [dialect.first, dialect.first, dialect.leave];
  const sane = await go({ talk });
  if (sane.kind !== 'heard') return unclear(PARTIAL, `without anything: ${sane.why}`);
  const at = dialect.greetsAgain ? 1 : 0;
  const letters = ['X', 'QZ'];
  let spoilt = 0;
  let seen = '';
  for (const letter of letters) {
    const heard = await go({ behind: letter, talk });
    if (heard.kind === 'refused') return absent(PARTIAL, `not taken: ${heard.why}`, { controls });
    const answer = heard.answers[at] ?? '';
    seen = `"${letter}" behind STARTTLS, then ${shown(heard.answers)}; without it ${shown(sane.answers)}`;
    if (answer === plain[at]) return absent(PARTIAL, 'dropped', { controls });
    // IMAP answers with the tag, which then begins with our letter.
    if (dialect.refuses(answer) || answer.startsWith(letter)) spoilt += 1;
  }
  const repeated = { passed: spoilt, of: letters.length };
  const all = { controls: { ...controls, repeated } };
  if (spoilt === letters.length) return found(PARTIAL, seen, all);
  return unclear(PARTIAL, `another answer, but no refusal: ${seen}`, all);
}

/**
 * What was executed without an answer shows in the state: MAIL lets RCPT be judged (SMTP); a
 * command to leave ends a session that a harmless one did not end.
 */
async function silent(
  context: ServiceContext,
  dialect: Dialect,
  ground: Ground,
  whole: Heard,
  go: Try,
): Promise<Outcome> {
  const { controls, plain } = ground;
  if (whole.kind === 'refused') return absent(SILENT, `not taken: ${whole.why}`, { controls });
  if (whole.answers.length > plain.length) {
    return absent(SILENT, 'executed, but not silently: see starttls-command', { controls });
  }
  if (whole.clear.length > 0) {
    return absent(SILENT, 'executed before TLS, and answered: see starttls-clear-answer', {
      controls,
    });
  }
  const left = await go({ behind: `${dialect.leave}\r\n` });
  if (left.kind === 'refused') {
    const again = await go({ behind: `${dialect.harmless}\r\n` });
    const seen = `"${dialect.leave}" behind STARTTLS ends the session, "${dialect.harmless}" does not`;
    return again.kind === 'heard'
      ? found(SILENT, seen, { controls })
      : likely(SILENT, `${seen}, or not always`, { controls });
  }
  if (context.service.protocol !== 'smtp' && context.service.protocol !== 'lmtp') {
    return absent(SILENT, `"${dialect.leave}" behind STARTTLS does nothing`, { controls });
  }
  const recipient = context.recipients.foreign('nobody', context.token()).text;
  const talk = [`RCPT TO:<${recipient}>`, dialect.leave];
  const without = await go({ talk });
  const prepared = await go({ behind: `${dialect.first}\r\nMAIL FROM:<>\r\n`, talk });
  if (without.kind !== 'heard') return unclear(SILENT, `RCPT alone: ${without.why}`);
  if (prepared.kind === 'refused')
    return absent(SILENT, `not taken: ${prepared.why}`, { controls });
  const seen = `RCPT is answered with ${prepared.answers[0]}; without it ${without.answers[0]}`;
  return prepared.answers[0] === without.answers[0]
    ? absent(SILENT, `MAIL behind STARTTLS does nothing: ${seen}`, { controls })
    : found(SILENT, `after MAIL behind STARTTLS ${seen}`, { controls });
}
