/** Examines one message: its way, its authentication, its signs, and what follows from them. */

import type { Clock, Lookup, Resolver } from '#base/world.ts';
import { type Head, readHead } from '#message/fields.ts';
import { authenticate } from './authentication/checks.ts';
import { type Answer, replayResolver } from './authentication/dns.ts';
import { SignatureWork } from './authentication/signatures.ts';
import type { Case } from './case.ts';
import { type Conclusions, conclude } from './conclusions.ts';
import { displayed, everyAddress } from './input/displayed.ts';
import { type BodySink, type ReaderLimits, SpecimenReader } from './input/reader.ts';
import { ClockModel } from './route/clock.ts';
import { type Anchors, type LedgerFact, readRoute } from './route/route.ts';
import { tracesOf } from './specimen.ts';

export interface ExamineOptions {
  readonly anchors: Anchors;
  /** Domains that the reader knows, for look-alikes. */
  readonly known: readonly string[];
  readonly resolver: Resolver;
  /** Whether the resolver has any answers. */
  readonly asks: boolean;
  readonly clock?: Clock | undefined;
  /** Milliseconds since 1970, where the message does not tell when it came. */
  readonly nowMs: number;
  /** Leaves the bodies alone: signatures are unknown then. */
  readonly headerOnly?: boolean;
  readonly limits?: ReaderLimits;
  /** Our own record: asked about the newest lines, by their id and host. */
  readonly ledger?: LedgerQuestion | undefined;
  /** Shared by many messages, so that clocks are known better and better. */
  readonly clocks?: ClockModel;
}

export type LedgerQuestion = (id: string, by: string) => Promise<LedgerFact | undefined>;

/** Lines that our record is asked about: we are at the top. */
const ASKED = 10;

export interface Examined extends Case {
  readonly conclusions: Conclusions;
}

/** Takes one message's octets, then examines it. */
export class Examination {
  readonly #options: ExamineOptions;
  readonly #work: SignatureWork;
  readonly #reader: SpecimenReader;
  #recorded: Promise<Recorded> | undefined;

  constructor(name: string, options: ExamineOptions) {
    this.#options = options;
    this.#work = new SignatureWork({ txt: (key) => this.#key(key) });
    const begin: BodySink['begin'] = (octets) => {
      this.#ask(options.ledger === undefined ? undefined : readHead(octets));
      return this.#work.begin(octets);
    };
    const sink = options.headerOnly === true ? undefined : { begin };
    this.#reader = new SpecimenReader(name, sink, options.limits);
  }

  /** The next octets; the caller may use the memory again. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** The message is complete. Never fails on mail. */
  async finish(): Promise<Examined> {
    const { known, clock, nowMs } = this.#options;
    const specimen = this.#reader.finish();
    const { head } = specimen;
    const { ledger, answers } = await this.#ask(head);
    const anchors: Anchors = { ...this.#options.anchors, ledger };
    const route = readRoute(head, anchors);
    const clocks = this.#options.clocks ?? new ClockModel();
    clocks.observe(route.hops);
    const received = (route.boundary ?? route.hops[0])?.line.date?.ms ?? nowMs;
    const authentication = await authenticate({
      specimen,
      route,
      authservIds: anchors.authservIds,
      // What our record kept are the keys of that day.
      signatures: await this.#work.finish(specimen, received, answers.size > 0 ? received : nowMs),
      resolver: answers.size === 0 ? this.#options.resolver : this.#replay(answers),
      clock,
      asks: this.#options.asks || answers.size > 0,
    });
    const replyTo = displayed(head, 'reply-to');
    const one: Case = {
      specimen,
      from: displayed(head),
      replyTo,
      answersTo: everyAddress(head, 'reply-to', replyTo),
      route,
      clocks,
      delays: clocks.delays(route.hops),
      authentication,
      anchors,
      known,
    };
    return { ...one, conclusions: conclude(one) };
  }

  /** Asks our record once; keys are wanted before the body came, so as soon as the head is there. */
  #ask(head: Head | undefined): Promise<Recorded> {
    const { ledger } = this.#options;
    this.#recorded ??=
      ledger === undefined || head === undefined
        ? Promise.resolve(NOT_RECORDED)
        : askLedger(head, ledger);
    return this.#recorded;
  }

  async #key(name: string): Promise<Lookup<string>> {
    const { answers } = (await this.#recorded) ?? NOT_RECORDED;
    return this.#replay(answers).txt(name);
  }

  #replay(answers: ReadonlyMap<string, Answer>): Resolver {
    return replayResolver(answers, this.#options.resolver);
  }
}

/** What our record says about the newest lines, and the DNS of that day. */
interface Recorded {
  readonly ledger: Anchors['ledger'];
  readonly answers: ReadonlyMap<string, Answer>;
}

const NOT_RECORDED: Recorded = { ledger: undefined, answers: new Map() };

async function askLedger(head: Head, ledger: LedgerQuestion): Promise<Recorded> {
  const facts = new Map<string, LedgerFact>();
  const answers = new Map<string, Answer>();
  for (const { line } of tracesOf(head).traces.slice(0, ASKED)) {
    const [id, by] = [line.id?.text, line.by?.text];
    if (id === undefined || by === undefined) continue;
    const fact = await ledger(id, by);
    if (fact === undefined) continue;
    facts.set(`${id} ${by}`, fact);
    for (const [question, answer] of fact.answers ?? []) answers.set(question, answer);
  }
  return { ledger: (id, by) => facts.get(`${id} ${by}`), answers };
}

/** A message that lies in memory. */
export function examine(
  name: string,
  message: Uint8Array,
  options: ExamineOptions,
): Promise<Examined> {
  const examination = new Examination(name, options);
  examination.push(message);
  return examination.finish();
}
