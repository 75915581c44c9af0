/** What a submission's trace fields tell strangers, and whether words of the client become fields. */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import {
  NO_LOGINS,
  submit,
  type Submitted,
  submittedHead,
  type Submitter,
  submitterOf,
  type Words,
} from '../../content/submit.ts';
import { absent, type Exchange, found, inapplicable, likely, unclear } from '../../finding.ts';
import type { CanaryMessage, ServiceContext, ServiceProbe } from '../../probe.ts';
import { versionIn } from '../fingerprint/identify.ts';
import { shown } from '../posture/zone.ts';
import { ADDRESS, HELO, INJECTED, LOGIN, VERSION } from './trace-checks.ts';

const TOLD = [ADDRESS, HELO, LOGIN, VERSION];
const ARRIVAL_MS = 8_000;

export const trace: ServiceProbe = {
  name: 'trace',
  scope: 'service',
  // Up to five messages go to the operator's own canary.
  level: 'active',
  checks: [...TOLD, INJECTED],
  limitMs: 45_000,
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const tellAll = (tell: typeof inapplicable | typeof unclear, why: string): void => {
    for (const check of trace.checks) context.tell(tell(check, why));
  };
  const submitter = submitterOf(context);
  if (typeof submitter === 'string') return tellAll(inapplicable, submitter);
  const token = context.token(14);
  const name = `${token}.invalid`;
  let plain: Sent;
  try {
    plain = await sent(context, submitter, token, { heloName: name });
  } catch (thrown) {
    const failure = Failure.from(thrown);
    return tellAll(failure.code === NO_LOGINS ? inapplicable : unclear, failure.message);
  }
  if (plain.message === undefined) {
    const { accepted, answer } = plain.submitted;
    return tellAll(unclear, accepted ? 'the canary saw nothing in time' : `refused: "${answer}"`);
  }
  tellTrace(context, submitter, plain, name);
  await tellInjected(context, submitter);
}

interface Sent {
  readonly submitted: Submitted;
  /** As the canary saw it; undefined: refused, or not in time. */
  readonly message: CanaryMessage | undefined;
}

async function sent(
  context: ServiceContext,
  submitter: Submitter,
  token: string,
  words: Words,
): Promise<Sent> {
  const { canary } = submitter;
  const content = `${submittedHead(submitter, canary, token)}A test of trace fields.`;
  const submitted = await submit(context, submitter, token, content, words);
  const waitMs = Math.min(ARRIVAL_MS, context.leftMs() - 2_000);
  const message = submitted.accepted ? await canary.arrived(token, waitMs) : undefined;
  return { submitted, message };
}

function tellTrace(
  context: ServiceContext,
  { account }: Submitter,
  { submitted, message }: Sent,
  name: string,
): void {
  const { exchange, local } = submitted.wire;
  const fields = traceOf(message);
  const text = fields.join('\n');
  const more = { evidence: [exchange], details: { fields: fields.map((one) => shown(one, 400)) } };
  const where = (words: string): string =>
    shown(fields.find((one) => one.includes(words)) ?? '', 200);
  const said = `${fields.length} trace fields reached the canary`;
  // Envelope and recipient are known to whoever gets the message.
  const bare = text.replace(/\b(?:envelope-from|for|envelope-to)[ \t]+<?[^\s<>;]*>?/gi, '');
  const { login } = account;
  const version = versionIn(text);
  context.tell(
    text.includes(local.address)
      ? found(ADDRESS, `our address ${local.address} stands in "${where(local.address)}"`, more)
      : absent(ADDRESS, `${said}, without our address`, more),
  );
  context.tell(
    text.includes(name)
      ? found(HELO, `the name of our EHLO stands in "${where(name)}"`, more)
      : absent(HELO, `${said}, without the name of our EHLO`, more),
  );
  context.tell(
    wordsOf(bare).has(login.toLowerCase())
      ? found(LOGIN, `the login stands in "${where(login)}"`, more)
      : absent(LOGIN, `${said}, without the login`, more),
  );
  context.tell(
    version === undefined
      ? absent(VERSION, `${said}, without a version`, more)
      : found(VERSION, `version ${version} stands in "${where(version)}"`, more),
  );
}

/** Ways in which what a client says could end a line of the header. */
const TRICKS: readonly (readonly [name: string, words: (field: string) => Words])[] = [
  ['a bare CR in EHLO', (field) => ({ heloName: `a.invalid\r${field}` })],
  ['a bare LF in EHLO', (field) => ({ heloName: `a.invalid\n${field}` })],
  ['CRLF in ENVID', (field) => ({ mailParameters: ` ENVID=a${xtext(field)}`, needs: 'DSN' })],
  ['CRLF in AUTH=', (field) => ({ mailParameters: ` AUTH=a${xtext(field)}`, needs: 'AUTH' })],
];

async function tellInjected(context: ServiceContext, submitter: Submitter): Promise<void> {
  const refused: string[] = [];
  const evidence: Exchange[] = [];
  const lost: string[] = [];
  const there: string[] = [];
  const bare: string[] = [];
  for (const [name, words] of TRICKS) {
    if (context.leftMs() < 4_000) lost.push(name);
    else {
      const token = context.token(14);
      const { submitted, message } = await sent(
        context,
        submitter,
        token,
        words(`X-Audit-${token}: 1`),
      ).catch((thrown: unknown) => refusal(thrown));
      const octets = message === undefined ? '' : latin1(message.octets);
      const at = new RegExp(`(.|^)[\\r\\n]X-Audit-${token}`, 's').exec(octets);
      if (submitted?.accepted !== true) refused.push(name);
      else if (message === undefined) lost.push(name);
      else if (at !== null) {
        (octets[at.index + at[0].indexOf('X-Audit') - 1] === '\n' ? there : bare).push(name);
        evidence.push(submitted.wire.exchange);
      }
    }
  }
  const tried = `${TRICKS.length} ways tried, ${refused.length} of them refused`;
  const more = { details: { there, bare, refused, lost }, ...(evidence[0] && { evidence }) };
  if (there.length > 0) {
    context.tell(found(INJECTED, `a field of ours began by ${there.join(', ')}`, more));
  } else if (bare.length > 0) {
    const seen = `behind a bare CR, which some readers take for a line end: ${bare.join(', ')}`;
    context.tell(likely(INJECTED, seen, { ...more, severity: 'medium' }));
  } else if (lost.length > 0) {
    context.tell(unclear(INJECTED, `${tried}; not seen again: ${lost.join(', ')}`, more));
  } else context.tell(absent(INJECTED, `${tried}; no field of ours reached the canary`, more));
}

/** What was refused before there was content has no message; other failures go on. */
function refusal(thrown: unknown): { readonly submitted: undefined; readonly message: undefined } {
  const failure = Failure.from(thrown);
  if (failure.code !== 'no-session' && failure.code !== NO_LOGINS) throw thrown;
  return { submitted: undefined, message: undefined };
}

/** Fields that servers add, unfolded, one a line; ours are not among them. */
function traceOf(message: CanaryMessage | undefined): readonly string[] {
  const octets = message === undefined ? '' : latin1(message.octets);
  const [head = ''] = octets.split('\r\n\r\n', 1);
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return lines.filter((line) => /^(?:received|x-[a-z-]+):/i.test(line)).slice(0, 100);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().split(/[^\w.@+-]+/));
}

/** CRLF and a field as xtext (RFC 3461 4). */
function xtext(field: string): string {
  return `+0D+0A${field.replaceAll(' ', '+20')}`;
}
