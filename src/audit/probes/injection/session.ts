/** One session through STARTTLS with octets behind it, and what the server answers under TLS. */

import type { ServiceContext } from '../../probe.ts';
import { patiently } from '../../session.ts';
import type { Wire } from '../../wire/wire.ts';
import { type Dialect, noSession } from './dialect.ts';

export interface Attempt {
  /** Behind the STARTTLS command, whose own line end is ours: complete lines or a part of one. */
  readonly behind: string;
  /** Where the octets are cut into segments, counted from the end of the word STARTTLS. */
  readonly cuts?: readonly number[];
  /** Said under TLS; default: the dialect's first command, then its leave. */
  readonly talk?: readonly string[];
}

export type Heard =
  /** TLS did not begin, or the session ended with it: the server does not go on with this. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'heard';
      /** Signatures under TLS, in order, until the end. */
      readonly answers: readonly string[];
      /** What came in clear behind the agreement. */
      readonly clear: Uint8Array;
    };

/** Answers of one session; a hostile server sends no more than these. */
const ANSWERS = 20;
/** Between segments: enough for each to be read on its own, and for what was read to be answered. */
const APART_MS = 15;

/** Connects, asks for TLS with `behind` in the same breath, and talks on under TLS. */
export async function attempt(
  context: ServiceContext,
  dialect: Dialect,
  { behind, cuts, talk = [dialect.first, dialect.leave] }: Attempt,
): Promise<Heard> {
  const { replyMs } = context.options;
  const wire = await introduced(context, dialect);
  const octets = `\r\n${behind}`;
  const pieces = [0, ...(cuts ?? [])].map((from, at, all) => octets.slice(from, all[at + 1]));
  const [head = '', ...rest] = pieces;
  await wire.sendApart([`${dialect.startTls}${head}`, ...rest], APART_MS);
  const agreed = await dialect.answer(wire, replyMs);
  if (agreed === undefined || !dialect.agrees(agreed)) {
    wire.close();
    return { kind: 'refused', why: `STARTTLS is answered with ${agreed ?? 'nothing'}` };
  }
  // What is executed before TLS is answered at once, in clear.
  if (behind !== '') await wire.pause(APART_MS);
  const secured = await wire.startTls(context.service.host, replyMs);
  if (secured.kind !== 'secure') return { kind: 'refused', why: `no TLS: ${secured.why}` };
  const answers = await talked(wire, dialect, talk, replyMs);
  wire.close();
  return answers.length === 0
    ? { kind: 'refused', why: 'the session ends with TLS' }
    : { kind: 'heard', answers, clear: secured.clear };
}

/** A connection that is greeted and introduced: the next line may be STARTTLS. */
export async function introduced(context: ServiceContext, dialect: Dialect): Promise<Wire> {
  const { replyMs } = context.options;
  const read = (one: Wire): Promise<string | undefined> => dialect.answer(one, replyMs);
  const { wire, greeting } = await patiently(context, {}, read, isFull);
  if (greeting === undefined) throw noSession('no greeting');
  if (dialect.introduction === undefined) return wire;
  wire.line(dialect.introduction);
  const answer = await read(wire);
  if (answer === undefined) throw noSession('no answer to the introduction');
  return wire;
}

/** SMTP that serves too many just now (RFC 5321 3.8). */
function isFull(greeting: string | undefined): boolean {
  return greeting?.startsWith('421') === true;
}

/** Each command after an answer to the one before; behind the last one all that still comes. */
async function talked(
  wire: Wire,
  dialect: Dialect,
  talk: readonly string[],
  replyMs: number,
): Promise<readonly string[]> {
  const answers: string[] = [];
  if (dialect.greetsAgain) {
    const again = await dialect.answer(wire, replyMs);
    if (again === undefined) return answers;
    answers.push(again);
  }
  for (const line of talk) {
    wire.line(line);
    const answer = await dialect.answer(wire, replyMs);
    if (answer === undefined) return answers;
    answers.push(answer);
  }
  while (answers.length < ANSWERS && !dialect.ends(answers.at(-1) ?? '')) {
    const answer = await dialect.answer(wire, Math.min(replyMs, LAST_MS));
    if (answer === undefined) break;
    answers.push(answer);
  }
  return answers;
}

/** A server that was told to leave closes; one that does not is not waited for. */
const LAST_MS = 400;
