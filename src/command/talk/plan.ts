/** What the command line of `postern talk` asks for, checked before anything is connected. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { utf8 } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';
import type { Resolver } from '#base/world.ts';
import type { SaslCredentials } from '#protocol/sasl/client-exchange.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import * as read from '../audit/options.ts';
import { targeted } from '../audit/target.ts';
import { requirePlace } from '../files.ts';

/** Where a scripted session may end, in order; the connection is closed right behind it. */
export const STAGES = [
  'connect',
  'banner',
  'ehlo',
  'tls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'content',
] as const;
export type Stage = (typeof STAGES)[number];

export interface TalkPlan {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly source: string | undefined;
  readonly tls: 'none' | 'starttls' | 'implicit' | 'opportunistic';
  readonly heloName: string;
  readonly lmtp: boolean;
  readonly credentials: SaslCredentials | undefined;
  readonly mechanism: string | undefined;
  readonly proxy: Uint8Array | undefined;
  readonly xclient: string | undefined;
  /** Everything that is said without a person; undefined: the person says it. */
  readonly script: TalkScript | undefined;
  /** Whether EHLO and what follows is said before the person's turn. */
  readonly prelude: boolean;
  readonly transcript: string | undefined;
  readonly plain: boolean;
  readonly replyMs: number;
}

export interface TalkScript {
  readonly from: string;
  readonly to: readonly string[];
  /** The message, as in the file. */
  readonly data: Uint8Array | undefined;
  readonly quitAfter: Stage | undefined;
}

const MODES = ['none', 'starttls', 'implicit', 'opportunistic'] as const;
const IMPLICIT = new Set([465, 993, 995]);
const USUAL_PORT = 25;
const UNSAFE = /[\r\n\0]/;

/** Reads the options; a CommandError for the first that is wrong. */
export async function talkPlan(context: Context, resolver: Resolver): Promise<TalkPlan> {
  const { places } = await targeted(argument(context, 'target'), [USUAL_PORT], resolver);
  const [place] = places;
  const port = place?.ports[0];
  if (place === undefined || port === undefined) throw read.usage('the target has no address');
  const user = option(context, 'user');
  const credentials = await read.accountOf(withAccount(context, user));
  const proxy = word(context, 'proxy');
  const script = scriptOf(context);
  const mechanism = word(context, 'auth')?.toUpperCase();
  const asked = ['ehlo', 'tls', 'user', 'xclient'].some((name) => context.options.has(name));
  requirePlace(option(context, 'transcript'));
  const seconds = Number(option(context, 'reply-timeout') ?? 30);
  if (!(seconds > 0 && seconds <= 3_600))
    throw read.usage('--reply-timeout takes seconds, to 3600');
  return {
    host: place.host,
    address: place.address,
    port,
    source: read.sourceOf(context),
    tls: tlsOf(context, port),
    heloName: word(context, 'ehlo') ?? parseDomain(hostname()) ?? 'localhost',
    lmtp: context.options.has('lmtp'),
    credentials,
    mechanism,
    proxy: proxy === undefined ? undefined : utf8(`PROXY ${proxy}\r\n`),
    xclient: word(context, 'xclient'),
    script,
    prelude: asked || script !== undefined,
    transcript: option(context, 'transcript'),
    plain: context.options.has('plain'),
    replyMs: seconds * 1_000,
  };
}

/** The audit's options speak of an account; it is the same thing. */
function withAccount(context: Context, user: string | undefined): Context {
  if (user === undefined) return context;
  return { ...context, options: new Map([...context.options, ['account', user]]) };
}

function tlsOf(context: Context, port: number): TalkPlan['tls'] {
  const asked = option(context, 'tls') ?? (IMPLICIT.has(port) ? 'implicit' : 'none');
  const mode = MODES.find((one) => one === asked);
  if (mode === undefined) throw read.usage(`--tls takes ${MODES.join(', ')}, not "${asked}"`);
  return mode;
}

function scriptOf(context: Context): TalkScript | undefined {
  const scripted = ['from', 'to', 'data', 'quit-after'].some((name) => context.options.has(name));
  if (!scripted) return undefined;
  const stage = option(context, 'quit-after')?.toLowerCase();
  const quitAfter = STAGES.find((one) => one === stage);
  if (stage !== undefined && quitAfter === undefined) {
    throw read.usage(`--quit-after takes ${STAGES.join(', ')}, not "${stage}"`);
  }
  const to = (word(context, 'to') ?? '').split(',').map((one) => one.trim());
  const file = option(context, 'data');
  const goesOn = quitAfter === undefined || STAGES.indexOf(quitAfter) >= STAGES.indexOf('rcpt');
  if (to[0] === '' && goesOn)
    throw read.usage('--to is missing', 'Name recipients, or --quit-after.');
  return {
    from: bare(word(context, 'from') ?? ''),
    to: to.map(bare),
    data: file === undefined ? undefined : readFileSync(file),
    quitAfter,
  };
}

function bare(path: string): string {
  return path.startsWith('<') && path.endsWith('>') ? path.slice(1, -1) : path;
}

/** An option that becomes part of one command line. */
function word(context: Context, name: string): string | undefined {
  const text = option(context, name);
  if (text !== undefined && UNSAFE.test(text)) {
    throw read.usage(`--${name} must be one line`, 'Raw octets can be typed, or piped in.');
  }
  return text;
}
