/** Runs `postern talk`: connects, shows what is said with what it means, and hands over the word. */

import { readFileSync, writeFileSync } from 'node:fs';
import { annotate } from '#audit/talk/codes.ts';
import { type Shown, TalkSession } from '#audit/talk/session.ts';
import { parseOctets, parseTyped } from '#audit/talk/typed.ts';
import { dial } from '#audit/wire/dial.ts';
import type { Exchange } from '#audit/wire/exchange.ts';
import { tlsText } from '#audit/wire/wire.ts';
import { auditWorld } from '../audit/world.ts';
import type { Context } from '../command.ts';
import { CommandError, type ExitStatus, TALK_EXIT, unreadable } from '../exit.ts';
import { harmless, styled } from '../io.ts';
import { linesOf } from './input.ts';
import { type TalkPlan, talkPlan } from './plan.ts';
import { hello, logIn, message, prelude, type Stagehand, stuffed } from './script.ts';

const HELP = `A line is sent with CRLF; \\r \\n \\t \\0 \\\\ \\xNN in it are octets; // begins a line with a slash.
/raw TEXT     send without CRLF          /data FILE  send a file as content, with the dot
/starttls     STARTTLS or STLS           /auth MECH  log in as --user (plain, login, scram-sha-256)
/hello        EHLO, CAPABILITY or CAPA   /wait MS    do nothing, and show what comes
/half         end our side only          /close      close now, without QUIT
/quit         QUIT or LOGOUT, and wait   /help       this
`;
const QUIT_MS = 3_000;
/** Until nobody can still be answering, where a pipe and not a person types. */
const WAIT_MOST_MS = 600_000;

/** 0, or the stage at which it failed, by swaks' numbers. */
export async function runTalk(context: Context): Promise<ExitStatus> {
  const world = auditWorld(context);
  const plan = await talkPlan(context, world.resolver);
  const { address, port, source, host } = plan;
  const dialled = await dial(
    world,
    { address, port },
    {
      timeoutMs: plan.replyMs,
      ...(source === undefined ? {} : { source }),
      ...(plan.tls === 'implicit' ? { tls: { name: host } } : {}),
    },
  );
  if (dialled.kind !== 'open') {
    context.io.warn(`postern: ${harmless(dialled.why)}.\n`);
    save(plan, dialled.exchange);
    return dialled.kind === 'tls-failed' ? TALK_EXIT.tls : TALK_EXIT.connect;
  }
  const { wire } = dialled;
  const shown: Shown[] = [];
  const session = new TalkSession(wire, (one) => {
    if (context.json) shown.push(one);
    else show(context, plan, one);
  });
  const hand: Stagehand = { session, plan, random: world.random };
  if (wire.secure !== undefined) show(context, plan, { from: 'note', text: tlsText(wire.secure) });
  if (plan.proxy !== undefined) session.send(plan.proxy);
  const status = await converse(context, hand).finally(() => {
    wire.destroy();
    save(plan, wire.exchange);
  });
  if (context.json) {
    context.io.write(`${JSON.stringify({ status, dialogue: shown, exchange: wire.exchange })}\n`);
  }
  return status;
}

async function converse(context: Context, hand: Stagehand): Promise<ExitStatus> {
  const { session, plan } = hand;
  const ended = (await prelude(hand)) ?? (await message(hand));
  if (ended !== undefined) {
    if (ended.why !== undefined) context.io.warn(`postern: ${harmless(ended.why)}.\n`);
    // `--quit-after` stops where it stops: the server sees QUIT, not a broken line.
    if (session.over === undefined && plan.script?.quitAfter !== 'connect') await quit(session);
    return ended.status;
  }
  session.forget();
  if (context.io.terminal && !context.json) context.io.warn('(/help says what can be typed)\n');
  let status: ExitStatus = TALK_EXIT.ok;
  for await (const line of linesOf(context.io)) {
    const next = await typed(context, hand, line);
    if (next === 'end') return status;
    if (next === 'failed') status = TALK_EXIT.lost;
    if (session.over !== undefined) return status;
  }
  await quit(session);
  return status;
}

/** One typed line, and the answer to it: waited for where no person waits. */
async function typed(
  context: Context,
  hand: Stagehand,
  line: string,
): Promise<'on' | 'end' | 'failed'> {
  const { session, plan } = hand;
  const parsed = parseTyped(line);
  if (parsed.kind === 'wrong') {
    context.io.warn(`postern: ${harmless(parsed.why)}.\n`);
    return 'failed';
  }
  session.forget();
  if (parsed.kind === 'order') return order(context, hand, parsed.word, parsed.rest);
  session.send(parsed.octets);
  if (!session.inContent) await session.replied(plan.replyMs);
  return 'on';
}

async function order(
  context: Context,
  hand: Stagehand,
  word: string,
  rest: string,
): Promise<'on' | 'end' | 'failed'> {
  const { session, plan } = hand;
  const orders: Readonly<Record<string, () => Promise<boolean | 'end'> | boolean | 'end'>> = {
    help: () => {
      context.io.warn(HELP);
      return true;
    },
    raw: () => {
      const octets = parseOctets(rest);
      if (typeof octets === 'string') return said(context, octets);
      session.send(octets);
      return true;
    },
    starttls: () => session.startTls(rest === '' ? plan.host : rest, plan.replyMs),
    hello: async () => (await hello(hand)) !== undefined,
    auth: async () => {
      if (plan.credentials === undefined) {
        return said(context, 'no login: start with --user (and --password-file)');
      }
      const name = rest === '' ? undefined : rest.toUpperCase().replace(/^SCRAM$/, 'SCRAM-SHA-256');
      return logIn(hand, (await hello(hand)) ?? [], name);
    },
    data: async () => {
      const content = contentOf(rest);
      if (content instanceof CommandError) return said(context, content.message);
      session.send(stuffed(content), `(${rest}, and the dot)`);
      return (await session.replied(plan.replyMs))?.good === true;
    },
    wait: async () => {
      await session.wire.pause(Math.min(WAIT_MOST_MS, Number(rest) || 0));
      return true;
    },
    half: () => session.wire.finish(),
    close: () => 'end',
    quit: async (): Promise<'end'> => {
      await quit(session);
      return 'end';
    },
  };
  const run = Object.hasOwn(orders, word) ? orders[word] : undefined;
  if (run === undefined) {
    context.io.warn(`postern: there is no /${harmless(word, 40)}; /help says what there is.\n`);
    return 'failed';
  }
  const result = await run();
  if (result === 'end') return 'end';
  if (!result) context.io.warn(`postern: /${word} failed.\n`);
  return result ? 'on' : 'failed';
}

/** Why an order is not carried out; the session goes on. */
function said({ io }: Context, why: string): false {
  io.warn(`postern: ${harmless(why)}.\n`);
  return false;
}

function contentOf(file: string): Uint8Array | CommandError {
  try {
    return readFileSync(file);
  } catch (error) {
    return unreadable(file, error, TALK_EXIT.content);
  }
}

async function quit(session: TalkSession): Promise<void> {
  session.forget();
  session.command(session.protocol === 'imap' ? 'LOGOUT' : 'QUIT');
  await session.replied(QUIT_MS);
}

function show(context: Context, plan: TalkPlan, { from, text }: Shown): void {
  if (context.json) return;
  const mark = from === 'client' ? '->' : from === 'server' ? '<-' : '--';
  const style = from === 'client' ? 'cyan' : from === 'server' ? 'green' : 'dim';
  context.io.write(`${styled(context.io, style, mark)} ${harmless(text)}\n`);
  const meaning = from === 'server' && !plan.plain ? annotate(text) : undefined;
  if (meaning !== undefined) context.io.write(styled(context.io, 'dim', `   ${meaning}\n`));
}

/** The transcript: times, who, and octets as escapes; secrets are `\{password}`. */
function save(plan: TalkPlan, exchange: Exchange): void {
  if (plan.transcript === undefined) return;
  const { target, source, startedMs, turns } = exchange;
  const from = source === undefined ? '' : ` from ${source.address}`;
  const when = new Date(startedMs).toISOString();
  const rows = turns.map(({ atMs, from: who, text }) => {
    const mark = who === 'client' ? 'C:' : who === 'server' ? 'S:' : '--';
    return `${atMs.toFixed(1).padStart(10)} ${mark} ${text}\n`;
  });
  const head = `${when} ${target.address} port ${target.port}${from}\n`;
  writeFileSync(plan.transcript, head + rows.join(''), { mode: 0o600 });
}
