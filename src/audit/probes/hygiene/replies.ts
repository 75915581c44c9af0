/** Replies as the standard wants them: codes, enhanced codes, forms; what breaks other programs. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { answered, greeted, smtpSession } from '../../session.ts';
import { ask as askOn, readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost } from '../../wire/wire.ts';
import { underTls } from './transaction.ts';

function replyCheck(id: string, title: string, means: string, rfc: readonly string[]): Check {
  return {
    id: `hygiene.${id}`,
    title,
    severity: 'info',
    means,
    doesNotMean: 'It is a fault of form; nobody gets in by it.',
    rfc,
    cures: [
      { product: 'postfix', lines: ['Look for a proxy or filter that rewrites replies.'] },
      { product: 'exim', lines: ['Look for messages in ACLs that replace the code.'] },
      { product: 'postern', lines: ['Update Postern.'] },
    ],
  };
}

const VRFY = replyCheck(
  'vrfy-code',
  'VRFY that is switched off is not answered with 252',
  'Clients that ask before they send take 502 or 550 for "no such user" or "no mail server".',
  ['RFC 5321 3.5.3', 'RFC 5321 7.3'],
);
const ENHANCED = replyCheck(
  'enhanced-codes-missing',
  'Enhanced status codes are offered but not given',
  'Programs that explain failures to people have nothing to go by.',
  ['RFC 2034 4', 'RFC 3463 2'],
);
const FORM = replyCheck(
  'reply-form',
  'Replies are malformed (bare LF, no code, mixed codes, controls)',
  'Strict clients drop the connection; lax ones can be led to take one reply for another.',
  ['RFC 5321 4.2', 'RFC 5321 2.3.8'],
);
const BASIC = replyCheck(
  'basic-commands',
  'NOOP or RSET is not answered with 250',
  'Every client uses them to keep or clean a session; without them mail is delayed.',
  ['RFC 5321 4.5.1'],
);
const UNKNOWN = replyCheck(
  'unknown-command-code',
  'An unknown command is not refused with 500 or 502',
  'Clients try extensions by asking; another answer makes them believe in what is not there.',
  ['RFC 5321 4.2.4', 'RFC 5321 4.3.2'],
);
const QUIT = replyCheck(
  'quit',
  'QUIT is not answered with 221 and an end',
  'Clients wait, and connections pile up.',
  ['RFC 5321 4.1.1.10'],
);
const CASE = replyCheck(
  'command-case',
  'Commands in lower case are not understood',
  'Some programs write commands so, and lose mail here.',
  ['RFC 5321 2.4'],
);
const HELO = replyCheck(
  'helo-refused',
  'HELO is refused where EHLO is taken',
  'Old and simple programs cannot deliver.',
  ['RFC 5321 3.2', 'RFC 5321 4.5.1'],
);

const ALL = [VRFY, ENHANCED, FORM, BASIC, UNKNOWN, QUIT, CASE, HELO];

export const replies: ServiceProbe = {
  name: 'replies',
  scope: 'service',
  level: 'safe',
  checks: ALL,
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const session = await smtpSession(context, underTls(context));
  const heard: SmtpReply[] = [session.greeting, session.ehlo];
  const ask = async (line: string): Promise<SmtpReply> => {
    const reply = await session.ask(line);
    heard.push(reply);
    return reply;
  };
  const tell = (check: Check, good: boolean, seen: string): void =>
    context.tell((good ? absent : found)(check, seen));
  const noop = await ask('NOOP');
  const rset = await ask('RSET');
  const both = `NOOP "${replyText(noop)}", RSET "${replyText(rset)}"`;
  tell(BASIC, noop.code === 250 && rset.code === 250, both);
  const lower = await ask('noop');
  tell(CASE, lower.code === noop.code, `noop is answered with "${replyText(lower)}"`);
  const helo = await heloOf(context, await ask(`HELO ${context.options.heloName}`));
  tell(HELO, helo.code === 250, `HELO is answered with "${replyText(helo)}"`);
  const unknown = await ask('XYZZY');
  const isUnknown = unknown.code === 500 || unknown.code === 502;
  const toUnknown = `XYZZY is answered with "${replyText(unknown)}"`;
  if (isBusy(unknown)) context.tell(unclear(UNKNOWN, toUnknown));
  else tell(UNKNOWN, isUnknown, toUnknown);
  let vrfy = await ask(`VRFY ${context.token()}`);
  const [domain] = context.options.domains;
  // Exim judges whole addresses alone.
  const again = vrfy.code === 501 && domain !== undefined;
  if (again) vrfy = await ask(`VRFY ${context.token()}@${domain}`);
  const seen = `VRFY of nobody is answered with "${replyText(vrfy)}"`;
  // 550 and its like say that names are really looked up, unless they say that nobody may ask.
  const closed = vrfy.code === 502 || vrfy.code === 500 || FORBIDDEN.test(replyText(vrfy));
  if (vrfy.code === 252) context.tell(absent(VRFY, seen));
  else if (closed) context.tell(found(VRFY, seen));
  else context.tell(inapplicable(VRFY, seen));
  const quit = await ask('QUIT');
  const ended = isLost(await readReply(session.wire, 1_000)) && session.wire.over;
  const end = `QUIT is answered with "${replyText(quit)}"${ended ? '' : ', and the connection stays'}`;
  // The errors above may have ended the session: then QUIT has not been looked at.
  if (isBusy(quit)) context.tell(unclear(QUIT, end));
  else tell(QUIT, quit.code === 221 && ended, end);
  tellForms(context, session.keywords.has('ENHANCEDSTATUSCODES'), heard);
}

/** Refusals of the command, whoever is asked about. */
const FORBIDDEN = /^55\d .{0,40}\b(?:prohibit|disabled|not (?:allowed|permitted|available))/i;

/** An answer about the server's state, whatever was said: 421, 450 to 459 (RFC 5321 4.2.3). */
function isBusy({ code }: SmtpReply): boolean {
  return code === 421 || (code >= 450 && code < 460);
}

/** A server may want one introduction alone (OpenSMTPD says 503): then a session with HELO counts. */
async function heloOf(context: ServiceContext, second: SmtpReply): Promise<SmtpReply> {
  if (second.code === 250) return second;
  const { replyMs, heloName } = context.options;
  const { wire } = await greeted(context);
  const first = answered(await askOn(wire, `HELO ${heloName}`, replyMs), 'HELO');
  wire.line('QUIT');
  wire.close();
  return first;
}

function tellForms(context: ServiceContext, promised: boolean, heard: readonly SmtpReply[]): void {
  const odd = [...new Set(heard.flatMap((reply) => reply.odd))];
  context.tell(
    odd.length === 0
      ? absent(FORM, `${heard.length} replies are well formed`)
      : found(FORM, `replies show: ${odd.join(', ')}`),
  );
  // Greeting and hello carry none (RFC 2034 4).
  const bare = heard
    .slice(2)
    .filter(({ code, enhanced }) => code !== 354 && code !== 250 && enhanced === undefined);
  if (!promised) context.tell(inapplicable(ENHANCED, 'they are not offered'));
  else if (bare.length === 0) context.tell(absent(ENHANCED, 'every refusal carries one'));
  else
    context.tell(
      found(ENHANCED, `without one: "${bare.map(replyText).join('", "').slice(0, 200)}"`),
    );
}
