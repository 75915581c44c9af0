/** User enumeration done right: controls first, answers as signatures, every hit confirmed twice. */

import type { Exchange } from '../wire/exchange.ts';
import { controlName, controlNames } from './controls.ts';
import { Baseline, judge, MOST_ASKED } from './judge.ts';
import type { Asking, Oracle } from './oracle.ts';
import { Pace, type PaceOptions, slowFor } from './pace.ts';
import { runRound, type RoundEnd, type RoundOptions } from './round.ts';
import { type Answer, type Signature, speaksOfUsers } from './signature.ts';

export interface EnumerateOptions extends PaceOptions {
  readonly names: readonly string[];
  /** A name that exists, if one is known: the positive control. */
  readonly knownUser?: string | undefined;
  readonly progress?: (progress: Progress) => void;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly found: number;
  readonly connections: number;
}

export interface FoundName {
  readonly name: string;
  /** What the server says of it. */
  readonly answer: string;
  readonly times: number;
}

/**
 * `enumerable`: at least one name was told from names that nobody has, each time. `none-found`:
 * names that nobody has are refused as such, and so were all that were tried.
 */
export type Verdict =
  | 'enumerable'
  | 'not-enumerable'
  | 'none-found'
  | 'unsupported'
  | 'inconclusive';

export interface Enumeration {
  readonly method: Oracle['name'];
  readonly verdict: Verdict;
  /** One sentence. */
  readonly why: string;
  readonly found: readonly FoundName[];
  readonly unclear: readonly { readonly name: string; readonly why: string }[];
  /** Not one answer came: no other method would get one. */
  readonly silent: boolean;
  /** Names without an answer. */
  readonly unasked: readonly string[];
  readonly controls: { readonly asked: number; readonly answer: string };
  readonly probes: number;
  readonly connections: number;
  readonly pace: {
    readonly perConnection: number;
    readonly parallel: number;
    readonly tarpitAt: number | undefined;
    readonly limitAt: number | undefined;
  };
  readonly ms: number;
  readonly evidence: readonly Exchange[];
}

const CONTROLS = 5;
/** Of one in three put off, all of both lots would be in two runs of a million. */
const CONTROLS_AGAIN = 7;
/** Probes after which one answer to all is taken for what it is. */
const PROBES_TO_TELL = 12;
const EVIDENCE = 3;

/** Asks one server, by one oracle, about all names. Never throws for what the server does. */
export async function enumerate(
  oracle: Oracle,
  asking: Asking,
  options: EnumerateOptions,
): Promise<Enumeration> {
  return new Run(oracle, asking, options).run();
}

class Run {
  readonly #oracle: Oracle;
  readonly #asking: Asking;
  readonly #options: EnumerateOptions;
  readonly #names: readonly string[];
  readonly #pace: Pace;
  readonly #startMs: number;
  readonly #answers = new Map<string, Answer[]>();
  /** Names with an answer that controls do not get: for the progress. */
  readonly #strange = new Set<string>();
  readonly #evidence: Exchange[] = [];
  #baseline = new Baseline([]);
  #connections = 0;
  #probes = 0;
  #unsound = 0;
  #found: FoundName[] = [];

  constructor(oracle: Oracle, asking: Asking, options: EnumerateOptions) {
    this.#oracle = oracle;
    this.#asking = asking;
    this.#options = options;
    this.#names = [...new Set(options.names)];
    this.#pace = new Pace({ slowMs: slowFor(asking.replyMs), ...options });
    this.#startMs = asking.clock.elapsed();
  }

  async run(): Promise<Enumeration> {
    const early = await this.#firstContact();
    if (early !== undefined) return early;
    await this.#controlsAgain();
    const todo = this.#names.filter((name) => !this.#answers.has(name));
    const first = await this.#round(todo, { scouting: true });
    if (first.unsupported !== undefined) return this.#end('unsupported', first.unsupported);
    let left = first.left;
    let why = first.why;
    // Confirmations: all on new connections, each with a control of its own.
    for (let round = 1; round < MOST_ASKED; round += 1) {
      const again = this.#undecided(left);
      if (again.length === 0) break;
      const end = await this.#round(again, {
        control: () => controlName(this.#asking.random, round % 2 === 0 ? 'human' : 'gibberish'),
        sound: (controls) => this.#isSound(controls),
      });
      left = [...new Set([...left, ...end.left])];
      why = end.why ?? why;
      if (end.left.length === again.length) break;
    }
    return this.#conclude(left, why);
  }

  /** Controls and, where one answer meets all, a few names more: is there anything to tell? */
  async #firstContact(): Promise<Enumeration | undefined> {
    const controls = controlNames(this.#asking.random, CONTROLS);
    const extra = [this.#oracle.logsIn ? undefined : 'postmaster', this.#options.knownUser];
    const others = extra.filter((name) => name !== undefined);
    const end = await this.#round([...controls, ...others], {}, 1);
    if (end.unsupported !== undefined) return this.#end('unsupported', end.unsupported);
    const heard = controls.flatMap((name) => this.#answers.get(name) ?? []);
    if (heard.length < CONTROLS) {
      const { silent } = end;
      return this.#end('inconclusive', `the controls were not answered: ${end.why}`, { silent });
    }
    this.#baseline = new Baseline(heard);
    for (const name of controls) this.#answers.delete(name);
    const told = others.some((name) => this.#isStrange(name));
    if (told || !this.#baseline.steady) return undefined;
    const { first } = this.#baseline;
    if (first === undefined || (first.kind === 'refused' && speaksOfUsers(first))) return undefined;
    const few = this.#names.filter((name) => !this.#answers.has(name));
    // Where connections are cut short, a question or two is asked again.
    const again = this.#pace.limitAt === undefined ? 0 : 3;
    const sample = few.slice(0, Math.max(1, PROBES_TO_TELL - this.#probes - again));
    const next = sample.length === 0 ? undefined : await this.#round(sample, {}, 1);
    if (sample.some((name) => this.#isStrange(name))) return undefined;
    if (next !== undefined && next.left.length > 0) {
      return this.#end('inconclusive', `the server stopped answering: ${next.why}`);
    }
    return this.#sameForAll(first);
  }

  /** All controls were put off, and some name was not: a server that puts off at random may do that, seldom. */
  async #controlsAgain(): Promise<void> {
    const { controls } = this.#baseline;
    if (controls.some(({ signature }) => signature.kind !== 'later')) return;
    const more = controlNames(this.#asking.random, CONTROLS_AGAIN);
    await this.#round(more, {}, 1);
    const heard = more.flatMap((name) => this.#answers.get(name) ?? []);
    this.#baseline = new Baseline([...controls, ...heard]);
    for (const name of more) this.#answers.delete(name);
  }

  #sameForAll(answer: Signature): Enumeration {
    const said = `"${answer.text}"`;
    if (answer.kind === 'later') {
      const why = `every name is put off with ${said} (greylisting?): try again later`;
      return this.#end('inconclusive', why);
    }
    const why =
      answer.kind === 'accepted'
        ? `every name is accepted (catch-all): ${said}`
        : `every name gets the same answer: ${said}`;
    return this.#end('not-enumerable', why);
  }

  #isStrange(name: string): boolean {
    const answers = this.#answers.get(name) ?? [];
    return answers.some(({ signature }) => !this.#baseline.has(signature));
  }

  /** Late answers of a control count as sound: a 4xx says nothing about the names beside it. */
  #isSound(controls: readonly Answer[]): boolean {
    return controls.every(
      ({ signature }) => this.#baseline.has(signature) || signature.kind === 'later',
    );
  }

  #undecided(left: readonly string[]): string[] {
    this.#baseline = this.#baseline.after(this.#answers.values());
    const open = [...this.#answers].filter(
      ([, answers]) => judge(answers, this.#baseline).kind === 'ask',
    );
    return [...new Set([...open.map(([name]) => name), ...left])];
  }

  async #round(
    names: readonly string[],
    how: Pick<RoundOptions, 'control' | 'sound' | 'scouting'>,
    parallel?: number,
  ): Promise<RoundEnd> {
    const { parallel: usual } = this.#pace;
    if (parallel !== undefined) this.#pace.parallel = parallel;
    const end = await runRound(names, {
      oracle: this.#oracle,
      asking: this.#asking,
      pace: this.#pace,
      ...how,
      answered: (answer, exchange) => this.#take(answer, exchange),
    });
    if (parallel !== undefined) this.#pace.parallel = usual;
    this.#connections += end.connections;
    this.#probes += end.probes;
    this.#unsound += end.unsound;
    if (this.#evidence.length === 0 && end.lastExchange) this.#evidence.push(end.lastExchange);
    this.#tellProgress();
    return end;
  }

  #take(answer: Answer, exchange: () => Exchange): void {
    const answers = this.#answers.get(answer.name);
    if (answers === undefined) this.#answers.set(answer.name, [answer]);
    else answers.push(answer);
    const telling = this.#baseline.controls.length > 0 && !this.#baseline.has(answer.signature);
    if (telling) this.#strange.add(answer.name);
    if (telling && answers !== undefined && this.#evidence.length < EVIDENCE) {
      this.#evidence.push(exchange());
    }
    if (this.#answers.size % 16 === 0) this.#tellProgress();
  }

  #tellProgress(): void {
    const { progress } = this.#options;
    if (progress === undefined) return;
    progress({
      done: Math.min(this.#answers.size, this.#names.length),
      total: this.#names.length,
      found: this.#strange.size,
      connections: this.#connections,
    });
  }

  #conclude(left: readonly string[], why: string | undefined): Enumeration {
    this.#baseline = this.#baseline.after(this.#answers.values());
    const unclear: { name: string; why: string }[] = [];
    const { knownUser } = this.#options;
    // postmaster must be there everywhere (RFC 5321 4.5.1): it is told only where it was asked for.
    for (const name of new Set(
      knownUser === undefined ? this.#names : [...this.#names, knownUser],
    )) {
      const answers = this.#answers.get(name);
      if (answers === undefined) continue;
      const judged = judge(answers, this.#baseline);
      if (judged.kind === 'present') {
        const { signature, times } = judged;
        this.#found.push({ name, answer: signature.text, times });
      } else if (judged.kind !== 'absent') {
        unclear.push({ name, why: judged.kind === 'unclear' ? judged.why : 'not confirmed' });
      }
    }
    const unasked = left.filter((name) => !this.#answers.has(name));
    const said = this.#baseline.first?.text ?? '';
    const rest = { unclear, unasked };
    if (this.#found.length > 0) {
      const words = `${this.#found.length} names are answered unlike names that nobody has ("${said}")`;
      return this.#end('enumerable', words, rest);
    }
    if (this.#unsound > 0) return this.#end('inconclusive', why ?? 'the controls changed', rest);
    if (unasked.length > 0) return this.#end('inconclusive', `not all were asked: ${why}`, rest);
    if (unclear.length > 0) {
      return this.#end('inconclusive', `${unclear.length} names could not be told`, rest);
    }
    return this.#end('none-found', `all names are answered like names that nobody has: "${said}"`);
  }

  #end(
    verdict: Verdict,
    why: string,
    rest: Partial<Pick<Enumeration, 'unclear' | 'unasked' | 'silent'>> = {},
  ): Enumeration {
    const { perConnection, parallel, tarpitAt, limitAt } = this.#pace;
    const { clock } = this.#asking;
    return {
      method: this.#oracle.name,
      verdict,
      why,
      found: this.#found,
      unclear: rest.unclear ?? [],
      unasked: rest.unasked ?? [],
      silent: rest.silent === true,
      controls: {
        asked: this.#baseline.controls.length,
        answer: this.#baseline.first?.text ?? '',
      },
      probes: this.#probes,
      connections: this.#connections,
      pace: { perConnection, parallel, tarpitAt, limitAt },
      ms: Math.round(clock.elapsed() - this.#startMs),
      evidence: this.#evidence,
    };
  }
}
