/** Senders: users who submit, strangers at port 25, and those who break off, spoof, or never read. */

import { type Chance } from './chance.ts';
import { Caller } from './caller.ts';
import type { Network } from '#base/world.ts';
import type { Owner, Timeline } from './timeline.ts';

/** Where a client stops, if it does: before that step. */
export const BREAKS = ['greeting', 'mail', 'rcpt', 'data', 'half', 'dot', 'reply'] as const;
export type Break = (typeof BREAKS)[number];

/** One transaction that a client tries, and what it heard of it: the history that is checked. */
export interface Posting {
  readonly token: string;
  /** The domain of the server that it goes to. */
  readonly via: string;
  /** Undefined: a stranger. */
  readonly login: string | undefined;
  /** Empty: `<>`. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly body: string;
  readonly never: boolean;
  readonly breaks: Break | undefined;
  /** Talks without ever listening. */
  readonly deaf: boolean;
  /** Recipients that got 250. */
  readonly accepted: string[];
  outcome: 'none' | 'refused' | 'unknown' | 'ok';
  /** The server's name for it. */
  id: string | undefined;
}

export interface PostWorld {
  readonly network: Network;
  readonly timeline: Timeline;
  readonly owner: Owner;
  readonly address: string;
  readonly chance: Chance;
  readonly password: string;
}

/** Tries it; afterwards `outcome` says what the client knows. */
export async function post(posting: Posting, world: PostWorld): Promise<void> {
  const { network, timeline, owner, address } = world;
  const { login } = posting;
  const implicit = login !== undefined && world.chance.odds(0.5);
  const port = login === undefined ? 25 : implicit ? 465 : 587;
  const caller = await Caller.connect(network, timeline, owner, { address, port });
  if (caller === undefined) return;
  if (posting.breaks === 'greeting') {
    caller.drop();
    return;
  }
  if (posting.deaf && login === undefined) {
    shout(caller, posting);
    return;
  }
  if (!(await introduce(caller, posting, implicit))) {
    caller.drop();
    return;
  }
  await transact(caller, posting, world.chance);
}

async function introduce(caller: Caller, posting: Posting, implicit: boolean): Promise<boolean> {
  const { login } = posting;
  if (implicit && !(await caller.startTls(true))) return false;
  if (!implicit) caller.listen();
  if ((await caller.hear())?.code !== 220) return false;
  const hello = await caller.ask('EHLO client.example');
  if (hello?.code !== 250) return false;
  if (!implicit && /STARTTLS/.test(hello.text) && login !== undefined) {
    if ((await caller.ask('STARTTLS'))?.code !== 220) return false;
    if (!(await caller.startTls(false))) return false;
    if ((await caller.ask('EHLO client.example'))?.code !== 250) return false;
  }
  if (login === undefined) return true;
  const plain = Buffer.from(`\0${login}\0${PASSWORD}`).toString('base64');
  return (await caller.ask(`AUTH PLAIN ${plain}`))?.code === 235;
}

/** What every user of the simulation has. */
export const PASSWORD = 'correct horse battery staple';

async function transact(caller: Caller, posting: Posting, chance: Chance): Promise<void> {
  const { breaks, accepted, recipients } = posting;
  if (breaks === 'mail') return caller.drop();
  const mail = await caller.ask(`MAIL FROM:<${posting.sender}>`);
  if (mail?.code !== 250) return refused(caller, posting, mail?.code);
  for (const recipient of recipients) {
    if (breaks === 'rcpt' && chance.odds(0.5)) return caller.drop();
    const never = posting.never ? ' NOTIFY=NEVER' : '';
    const answer = await caller.ask(`RCPT TO:<${recipient}>${never}`);
    if (answer === undefined) return caller.drop();
    if (answer.code === 250) accepted.push(recipient);
  }
  if (accepted.length === 0) return refused(caller, posting, 550);
  if (breaks === 'data') return caller.drop();
  const data = await caller.ask('DATA');
  if (data?.code !== 354) return refused(caller, posting, data?.code);
  const wire = contentOf(posting).replaceAll(/^\./gm, '..');
  if (breaks === 'half') {
    caller.say(wire.slice(0, chance.int(0, wire.length)));
    return caller.drop();
  }
  caller.say(wire);
  if (breaks === 'dot') return caller.drop();
  // From here on nobody can know without an answer.
  posting.outcome = 'unknown';
  caller.say('.\r\n');
  if (breaks === 'reply') return caller.drop();
  const end = await caller.hear();
  if (end === undefined) return caller.drop();
  posting.outcome = end.code === 250 ? 'ok' : 'refused';
  posting.id = / Accepted as (\S+)/.exec(end.text)?.[1];
  await caller.ask('QUIT');
  caller.end();
}

function refused(caller: Caller, posting: Posting, code: number | undefined): void {
  posting.outcome = code === undefined ? 'none' : 'refused';
  caller.drop();
}

/** Everything at once, in clear, and nothing is ever read. */
function shout(caller: Caller, posting: Posting): void {
  posting.outcome = 'unknown';
  const recipients = posting.recipients.map((one) => `RCPT TO:<${one}>\r\n`).join('');
  caller.say(`EHLO loud.example\r\nMAIL FROM:<${posting.sender}>\r\n${recipients}DATA\r\n`);
  caller.say(`${contentOf(posting).replaceAll(/^\./gm, '..')}.\r\n`);
  caller.say('NOOP\r\n'.repeat(200));
}

/** The message as its author wrote it. */
export function contentOf({ token, login, sender, recipients, body }: Posting): string {
  const from = login ?? (sender === '' ? 'nobody@stranger.example' : sender);
  return (
    `X-Token: ${token}\r\nFrom: <${from}>\r\nTo: <${recipients[0]}>\r\n` +
    `Subject: ${token}\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n` +
    `Message-ID: <${token}@client.example>\r\n\r\n${body}`
  );
}

/** Lines of all kinds, dots first among them; sometimes too long for the database. */
export function bodyOf(chance: Chance): string {
  const lines = Array.from({ length: chance.int(1, 6) }, () =>
    chance.pick(['.', '..', '.x', 'From here', 'plain words', '', 'x'.repeat(900)]),
  );
  if (chance.odds(0.05)) lines.push(...Array.from({ length: 80 }, (_, n) => `${n}`.repeat(400)));
  return `${lines.map((line) => line.slice(0, 990)).join('\r\n')}\r\nend\r\n`;
}
