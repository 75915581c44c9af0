/** Runs `postern send`: connects, shows what is said as it is said, and tells each outcome. */

import { Failure } from '#base/failure.ts';
import { dnsResolver } from '#network/dns/resolver.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { SmtpSession, type Opening } from '#protocol/smtp/client/session.ts';
import { type Said, replyLines } from '#protocol/smtp/client/transcript.ts';
import { type Outcome, transact } from '#protocol/smtp/client/transaction.ts';
import type { Context } from '../command.ts';
import { CommandError, EXIT, type ExitStatus } from '../exit.ts';
import { harmless, styled } from '../io.ts';
import { messageOf } from './message.ts';
import { type Plan, planOf } from './plan.ts';

const CONNECT_MS = 30_000;
const NONCE_OCTETS = 24;

/** 0 when every recipient was accepted, 75 when some should be tried later, 69 when refused. */
export async function runSend(context: Context): Promise<ExitStatus> {
  const plan = await planOf(context);
  const message = await messageOf(context, plan, systemRandom);
  const said: Said[] = [];
  const session = await connect(plan, (line) => {
    said.push(line);
    if (!context.json && !context.options.has('quiet')) show(context, line);
  });
  const opening = await session.open();
  if (opening.kind !== 'ready') {
    await session.quit();
    return told(context, session, said, opening);
  }
  const { outcomes } = await transact(session, {
    envelope: {
      reversePath: plan.from,
      ret: undefined,
      envelopeId: undefined,
      smtpUtf8: false,
      body: message.some((octet) => octet > 127) ? '8bitmime' : '7bit',
    },
    recipients: plan.to.map((address) => ({
      address,
      notify: plan.notify,
      originalRecipient: undefined,
    })),
    sizeBytes: message.length,
    read: (from, lengthBytes) => message.subarray(from, from + lengthBytes),
  });
  await session.quit();
  return finished(context, plan, session, said, outcomes);
}

/** Tries each address of the host; the last failure is told. */
async function connect(plan: Plan, listener: (said: Said) => void): Promise<SmtpSession> {
  const network = tcpNetwork();
  let failure = Failure.temporary('unreachable', `${plan.host} has no address`);
  for (const address of await addressesOf(plan.host)) {
    try {
      return await SmtpSession.connect(
        network,
        { address, port: plan.port, timeoutMs: CONNECT_MS },
        {
          clock: systemClock,
          heloName: plan.heloName,
          lmtp: plan.lmtp,
          tls: plan.tls,
          nonce: systemRandom.bytes(NONCE_OCTETS),
          dialogue: { listener },
          ...(plan.credentials === undefined ? {} : { credentials: plan.credentials }),
          ...(plan.mechanisms === undefined ? {} : { mechanisms: plan.mechanisms }),
        },
      );
    } catch (thrown) {
      failure = Failure.from(thrown);
    }
  }
  const cure = 'Check the host, the port and --tls.';
  throw new CommandError(EXIT.unavailable, failure.message, cure, failure);
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  if (/^[\d.]+$/.test(host) || host.includes(':')) return [host];
  const resolver = dnsResolver({ clock: systemClock, random: systemRandom });
  const answers = await Promise.all([resolver.a(host), resolver.aaaa(host)]);
  return answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
}

function show(context: Context, { from, text }: Said): void {
  const mark = from === 'client' ? '->' : from === 'server' ? '<-' : '--';
  const style = from === 'client' ? 'cyan' : from === 'server' ? 'green' : 'dim';
  context.io.write(`${styled(context.io, style, mark)} ${harmless(text)}\n`);
}

function told(
  context: Context,
  session: SmtpSession,
  said: readonly Said[],
  opening: Exclude<Opening, { kind: 'ready' }>,
): ExitStatus {
  const why =
    opening.kind === 'unfit' ? opening.why : replyLines(opening.reply).map(plain).join(' / ');
  const temporary = opening.kind === 'refused' && opening.reply.code < 500;
  if (context.json) writeJson(context, session, said, [{ step: opening.step, refused: why }]);
  else context.io.warn(`postern: refused at ${opening.step}: ${why}\n`);
  return temporary ? EXIT.temporary : EXIT.unavailable;
}

function finished(
  context: Context,
  plan: Plan,
  session: SmtpSession,
  said: readonly Said[],
  outcomes: readonly Outcome[],
): ExitStatus {
  const rows = outcomes.map((outcome, index) => ({
    recipient: plan.to[index] ?? '',
    outcome: outcome.kind,
    answer: outcome.reply === undefined ? null : replyLines(outcome.reply).join(' / '),
    reason: outcome.kind === 'delivered' ? null : outcome.reason,
  }));
  if (context.json) writeJson(context, session, said, rows);
  else for (const row of rows) context.io.write(`${lineFor(row)}\n`);
  if (outcomes.every(({ kind }) => kind === 'delivered')) return EXIT.ok;
  return outcomes.some(({ kind }) => kind === 'failed') ? EXIT.unavailable : EXIT.temporary;
}

function lineFor(row: {
  recipient: string;
  outcome: string;
  answer: string | null;
  reason: string | null;
}): string {
  const word = row.outcome === 'delivered' ? 'accepted' : row.outcome;
  return plain(`${row.recipient}: ${word}: ${row.answer ?? row.reason ?? ''}`);
}

function writeJson(
  context: Context,
  session: SmtpSession,
  dialogue: readonly Said[],
  outcomes: readonly object[],
): void {
  const facts = session.dialogue.secure?.facts;
  const tls =
    facts === undefined
      ? null
      : { protocol: facts.protocol, cipher: facts.cipher, peer: facts.peer };
  const server = session.dialogue.remote;
  context.io.write(`${JSON.stringify({ server, tls, outcomes, dialogue })}\n`);
}

function plain(text: string): string {
  return harmless(text);
}
