/** Runs `postern headers`: reads, examines, prints, and writes what was asked for beside it. */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Resolver } from '#base/world.ts';
import {
  type Answers,
  NOT_IN_EVIDENCE,
  recordingResolver,
  replayResolver,
  silentResolver,
} from '#forensics/authentication/dns.ts';
import {
  type Evidence,
  type EvidenceItem,
  formatEvidence,
  parseEvidence,
} from '#forensics/authentication/evidence.ts';
import type { Examined, ExamineOptions } from '#forensics/examine.ts';
import { htmlArticle, htmlEnd, htmlStart } from '#forensics/report/html.ts';
import { reportJson } from '#forensics/report/json.ts';
import { ClockModel } from '#forensics/route/clock.ts';
import { systemClock } from '#network/clock.ts';
import { dnsResolver } from '#network/dns/resolver.ts';
import { systemRandom } from '#network/random.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { posternVersion } from '../commands/version.ts';
import {
  CommandError,
  EXIT,
  type ExitStatus,
  explain,
  isSystemError,
  unreadable,
} from '../exit.ts';
import { requirePlace, writeWhole } from '../files.ts';
import { ledgerQuestion } from './ledger.ts';
import { report } from '../report.ts';
import { type HeaderOptions, anchorTexts, headerOptions } from './options.ts';
import { progressLine } from './progress.ts';
import { examineSource } from './read.ts';
import { type Source, sourcesOf } from './sources.ts';
import { fullReport, summaryLine } from './terminal.ts';

/** 0 when messages were read, whatever they are; 65 when there was none; else why not all were. */
export async function runHeaders(context: Context): Promise<ExitStatus> {
  const options = headerOptions(context);
  const sources = sourcesOf(context.rest, context.io);
  requirePlace(option(context, 'save-evidence'));
  const dns = dnsOf(context);
  const ledger = context.options.has('ledger') ? await ledgerQuestion(context) : undefined;
  const outputs = new Outputs(context, options, sources.length > 1);
  outputs.expect(dns.evidence);
  try {
    const { count, status } = await examineAll(context, { options, sources, dns, ledger, outputs });
    if (count === 0 && status === EXIT.ok) {
      throw new CommandError(EXIT.data, 'there is no message in it');
    }
    outputs.finish(dns.answers);
    return status;
  } finally {
    outputs.close();
    await ledger?.close();
  }
}

interface Job {
  readonly options: HeaderOptions;
  readonly sources: readonly Source[];
  readonly dns: Dns;
  readonly ledger: Awaited<ReturnType<typeof ledgerQuestion>> | undefined;
  readonly outputs: Outputs;
}

/** How many were read; a file of many that cannot be is told and passed over. */
async function examineAll(
  context: Context,
  job: Job,
): Promise<{ readonly count: number; readonly status: ExitStatus }> {
  const { options, sources, dns, ledger, outputs } = job;
  const examine: ExamineOptions = {
    anchors: options.anchors,
    known: options.known,
    resolver: dns.resolver,
    asks: dns.asks,
    clock: systemClock,
    nowMs: context.now(),
    headerOnly: options.headerOnly,
    ledger: ledger?.ask,
    clocks: new ClockModel(),
  };
  const sizes = sources.map(({ sizeBytes }) => sizeBytes);
  const known = sizes.every((size) => size !== undefined);
  const of = known ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
  const progress = progressLine(context.io, of, () => context.now());
  let doneBytes = 0;
  let count = 0;
  let status: ExitStatus = EXIT.ok;
  for (const source of sources) {
    const read = examineSource(source, {
      examine,
      form: options.form,
      progress: (bytes) => progress.show((doneBytes += bytes), count),
    });
    try {
      for await (const one of read) {
        count += 1;
        progress.clear();
        outputs.add(one);
        await context.io.taken?.();
      }
    } catch (error) {
      const failed = readError(error, source);
      if (sources.length === 1 || failed === undefined) throw failed ?? error;
      progress.clear();
      status = report(failed, context.io);
    }
  }
  progress.clear();
  return { count, status };
}

/** The source is to blame, not where the results go; else undefined. */
function readError(error: unknown, { name }: Source): CommandError | undefined {
  if (error instanceof CommandError && error.exit === EXIT.data) return error;
  if (!isSystemError(error) || (error.path !== name && error.syscall !== 'read')) return undefined;
  return unreadable(name, error, explain(error)?.exit ?? EXIT.io);
}

interface Dns {
  readonly resolver: Resolver;
  readonly asks: boolean;
  /** What was answered, for the bundle. */
  readonly answers: Answers;
  /** The bundle that was read. */
  readonly evidence: Evidence | undefined;
}

/** Live with `--dns`, out of a bundle with `--evidence`, both (the bundle first), or none. */
function dnsOf(context: Context): Dns {
  const answers: Answers = new Map();
  const server = option(context, 'resolver');
  const servers = server === undefined ? {} : { servers: [server] };
  const live = context.options.has('dns')
    ? dnsResolver({ clock: systemClock, random: systemRandom, ...servers })
    : undefined;
  const file = option(context, 'evidence');
  const evidence = file === undefined ? undefined : evidenceIn(file);
  if (live === undefined && evidence === undefined) {
    return { resolver: silentResolver(), asks: false, answers, evidence };
  }
  const beyond = live ?? silentResolver(NOT_IN_EVIDENCE);
  const inner = evidence === undefined ? beyond : replayResolver(evidence.answers, beyond);
  return { resolver: recordingResolver(inner, answers), asks: true, answers, evidence };
}

function evidenceIn(file: string): Evidence {
  try {
    return parseEvidence(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const cure = 'Name a file that --save-evidence wrote.';
    throw new CommandError(EXIT.data, `${file}: ${error.message}`, cure, error);
  }
}

/** Where results go: the terminal, an HTML page, a bundle. The first is held until a second comes. */
class Outputs {
  readonly #context: Context;
  readonly #options: HeaderOptions;
  readonly #items: EvidenceItem[] = [];
  readonly #html: number | undefined;
  readonly #version = posternVersion();
  #first: Examined | undefined;
  #many: boolean;
  #evidenceHashes: ReadonlySet<string> | undefined;
  /** Messages that the evidence is not about. */
  #strangers = 0;

  constructor(context: Context, options: HeaderOptions, many: boolean) {
    this.#context = context;
    this.#options = options;
    this.#many = many;
    const html = option(context, 'html');
    this.#html = html === undefined ? undefined : openSync(html, 'w', 0o600);
    if (this.#html !== undefined) writeAll(this.#html, htmlStart('The traces of messages'));
  }

  add(one: Examined): void {
    const { name, sha256, sizeBytes } = one.specimen;
    if (this.#context.options.has('save-evidence')) this.#items.push({ name, sha256, sizeBytes });
    if (this.#html !== undefined) writeAll(this.#html, htmlArticle(one));
    if (this.#many) return this.#print(one);
    if (this.#first === undefined) this.#first = one;
    else {
      this.#many = true;
      this.#print(this.#first);
      this.#first = undefined;
      this.#print(one);
    }
  }

  finish(answers: Answers): void {
    if (this.#first !== undefined) this.#print(this.#first);
    if (this.#html !== undefined) writeAll(this.#html, htmlEnd(this.#version));
    this.#tellStrangers();
    const file = option(this.#context, 'save-evidence');
    if (file === undefined) return;
    const bundle = {
      version: this.#version,
      madeAtMs: this.#context.now(),
      anchors: anchorTexts(this.#options.anchors),
      messages: this.#items,
      answers,
    };
    writeWhole(file, formatEvidence(bundle), 0o600);
  }

  close(): void {
    if (this.#html !== undefined) closeSync(this.#html);
  }

  #print(one: Examined): void {
    const { io, json } = this.#context;
    const { all } = this.#options;
    if (json) io.write(`${safeJson(reportJson(one))}\n`);
    else io.write(this.#many && !all ? summaryLine(one, io) : fullReport(one, io, all));
    const known = this.#evidenceHashes;
    if (known !== undefined && !known.has(one.specimen.sha256)) this.#strangers += 1;
  }

  /** The bundle is about certain octets: others may be examined with it, but that is said. */
  expect(evidence: Evidence | undefined): void {
    if (evidence === undefined) return;
    this.#evidenceHashes = new Set(evidence.messages.map(({ sha256 }) => sha256));
  }

  #tellStrangers(): void {
    if (this.#strangers === 0) return;
    const what = `${this.#strangers} of the messages are not in the evidence: other octets`;
    this.#context.io.warn(`postern: ${what}.\n`);
  }
}

/** JSON that a terminal cannot be steered by: what JSON does not escape itself, escaped. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (one) =>
    Array.from({ length: one.length }, (_, at) => {
      return `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}

const UNSAFE =
  /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
