/** The relay survey: controls, every form, and a verdict that claims no more than was shown. */

import type { Random } from '#base/world.ts';
import { controlName } from '../users/controls.ts';
import { NMAP_FORMS, RECIPIENT_FORMS, type Attempt, type Form } from './forms.ts';
import type { Place } from './place.ts';
import { followed, tryForm, type Trial, type TrialOptions } from './trial.ts';
import { askEtrn, type EtrnAnswer, RETURN_FORMS } from './returns.ts';
import { TRUST_FORMS } from './trust.ts';

export const FORMS: readonly Form[] = [...NMAP_FORMS, ...RECIPIENT_FORMS, ...TRUST_FORMS];

/**
 * `relays`: shown. `accepts`: RCPT (or content) was accepted, delivery is not proved.
 * `may-be-local`: accepted, but so are names that nobody has. `closed`, `unclear`.
 */
export type RelayVerdict = 'relays' | 'accepts' | 'may-be-local' | 'closed' | 'unclear';

export interface Judged extends Trial {
  readonly verdict: RelayVerdict | 'not-applicable';
}

export interface Survey {
  readonly verdict: RelayVerdict;
  readonly why: string;
  readonly trials: readonly Judged[];
  readonly controls: {
    /** A name that nobody has, at each domain: accepted means catch-all (or accept, then bounce). */
    readonly nobody: readonly Trial[];
    /** postmaster, who must be there (RFC 5321 4.5.1): the server takes mail at all. */
    readonly somebody: readonly Trial[];
    readonly isCatchAll: boolean;
  };
  readonly connections: number;
  /** R33 and R35: mail in our canary's name to nobody and to somebody; did anything come back? */
  readonly returns: readonly Trial[];
  /** R34: ETRN for a domain that is not its own. */
  readonly etrn: EtrnAnswer;
  /** From where, and what that means. */
  readonly vantage: readonly string[];
}

export interface SurveyOptions extends Omit<TrialOptions, 'place' | 'send'> {
  readonly random: Random;
  /** All but the token, which is fresh for each attempt. */
  readonly place: Omit<Place, 'token'>;
  readonly forms?: readonly Form[];
  readonly level: 'safe' | 'active';
  /** Messages that may be sent. */
  readonly messages: number;
  /** Attempts at the same time. Default 4. */
  readonly parallel?: number;
}

/** So many times what an answer usually may take. */
const PATIENCE = 4;

const CONTROL: Form = { id: 'control', title: 'control', level: 'safe', attempts: () => [] };

/** Tries every form, and the controls first. */
export async function surveyRelay(options: SurveyOptions): Promise<Survey> {
  const runner = new Runner(options);
  const { place } = options;
  const domains = place.domains.length > 0 ? place.domains.slice(0, 4) : [place.server];
  const { nobody, somebody } = await controlsIn(domains, runner, options);
  const isCatchAll = nobody.some(({ rung }) => rung === 'accepted');
  const { canary } = options;
  if (canary !== undefined && somebody.every(refusesSender)) runner.writeAs(canary.domain);
  const controls = [...nobody, ...somebody];
  // An answer about the sender alone is an answer: other senders are asked.
  const silent = controls.every((one) => one.rung === 'unclear' && !refusesSender(one));
  const silence = silent ? controls[0] : undefined;
  // It may be the mail server of our canary's domain: that mail goes there is then no relaying.
  const receives = canary !== undefined && !silent && (await runner.isServerOf(canary.domain));
  if (receives) runner.writeTo(place.other);
  const forms = options.forms ?? FORMS;
  const jobs = forms
    .filter(({ level }) => level === 'safe' || options.level === 'active')
    .flatMap((form) => runner.attemptsOf(form).map((attempt) => ({ form, ...attempt })));
  const tried: Trial[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      const job = jobs[index];
      if (job === undefined) return;
      const { form, attempt, place: its } = job;
      // A server that waits for a PROXY header says nothing to all others: no need to wait each time.
      tried[index] =
        silence === undefined || attempt.prologue !== undefined
          ? await runner.try(form, attempt, its)
          : untried(form, attempt, silence);
    }
  };
  await Promise.all(Array.from({ length: options.parallel ?? 4 }, worker));
  // Who was crowded out by ourselves is tried again, one after the other.
  for (const [index, { rung, answer }] of tried.entries()) {
    const job = jobs[index];
    const waits = silence !== undefined && job?.attempt.prologue === undefined;
    if (job === undefined || waits || rung !== 'unclear' || !/greeting: 421/.test(answer)) continue;
    tried[index] = await runner.try(job.form, job.attempt, job.place);
  }
  // All at once: a server that delivers nothing costs the time of one message, not of each.
  const final = await Promise.all(
    tried.map((trial, index) => runner.follow(trial, jobs[index]?.place)),
  );
  const isRoute = seesRoutes(final, nobody);
  const trials = final.map((trial) => ({
    ...trial,
    // What a wide sign is to it, the routes of ASCII do not tell.
    verdict: judgeTrial(trial, isCatchAll, isCatchAll && (!isRoute || trial.form === 'R25')),
  }));
  const [verdict, why] = conclude(trials);
  const returns: Trial[] = [];
  runner.writeTo(place.foreign);
  for (const form of options.canary === undefined ? [] : RETURN_FORMS) {
    if (options.level !== 'active' || silent) break;
    for (const job of runner.attemptsOf(form)) {
      returns.push(await runner.follow(await runner.try(form, job.attempt, job.place), job.place));
    }
  }
  const etrn = await askEtrn(options);
  const { connections } = runner;
  const source = trials.find(({ exchange }) => exchange?.source !== undefined)?.exchange?.source;
  const vantage = vantageOf(source?.address, place.address);
  if (receives) vantage.push(`it takes mail for ${place.foreign} itself: nothing was sent there`);
  const told = { nobody, somebody, isCatchAll };
  return { verdict, why, trials, controls: told, returns, etrn, connections, vantage };
}

/** In each domain a name that nobody has and one that is there. */
async function controlsIn(
  domains: readonly string[],
  runner: Runner,
  { random }: SurveyOptions,
): Promise<{ readonly nobody: readonly Trial[]; readonly somebody: readonly Trial[] }> {
  const nobody: Trial[] = [];
  const somebody: Trial[] = [];
  for (const domain of domains) {
    nobody.push(await runner.patientControl(controlName(random, 'gibberish'), domain));
    somebody.push(await runner.control('postmaster', domain));
    // No greeting, whatever the domain: each more would take as long.
    if ([...nobody, ...somebody].every(isUngreeted)) break;
  }
  return { nobody, somebody };
}

function isUngreeted({ rung, answer }: Trial): boolean {
  return rung === 'unclear' && /^(?:connect|greeting): /.test(answer);
}

/**
 * A domain that cannot exist may be refused as such (sendmail, `reject_unknown_sender_domain`): that
 * says nothing about relaying. The canary's exists, and is not the server's own.
 */
function refusesSender({ rung, answer }: Trial): boolean {
  return rung !== 'accepted' && /\b[45]\.1\.[78]\b|\bsender\b/i.test(answer);
}

function untried(
  { id, title }: Form,
  { variant, mail, rcpt, mayBeLocal }: Attempt,
  as: Trial,
): Trial {
  return { ...as, form: id, title, variant, mail, rcpt: rcpt.at(-1) ?? '', mayBeLocal };
}

class Runner {
  readonly #options: SurveyOptions;
  #messages: number;
  #other: string;
  #foreign: string;
  connections = 0;

  constructor(options: SurveyOptions) {
    this.#options = options;
    this.#messages = options.messages;
    this.#other = options.place.other;
    this.#foreign = options.place.foreign;
  }

  /** Senders of all forms that do not say otherwise from now on. */
  writeAs(domain: string): void {
    this.#other = domain;
  }

  /** The domain that recipients of all forms are at from now on. */
  writeTo(domain: string): void {
    this.#foreign = domain;
  }

  /** Whether mail for a domain is taken that is refused, as relaying, for a domain of nobody. */
  async isServerOf(domain: string): Promise<boolean> {
    const { other } = this.#options.place;
    if ((await this.control(this.#place().token, domain)).rung !== 'accepted') return false;
    return asRelay(await this.control(this.#place().token, other));
  }

  /** A form's attempts, each with a token of its own: what arrives tells which it was. */
  attemptsOf(form: Form): { readonly attempt: Attempt; readonly place: Place }[] {
    const count = form.attempts(this.#place()).length;
    return Array.from({ length: count }, (_, index) => {
      const place = this.#place();
      return { attempt: form.attempts(place)[index], place };
    }).filter((one): one is { attempt: Attempt; place: Place } => one.attempt !== undefined);
  }

  /**
   * The same name once more, with more time, where it is not answered: some ask the next host about
   * it first (Postfix' reject_unverified_recipient, up to nine seconds).
   */
  async patientControl(local: string, domain: string): Promise<Trial> {
    const { replyMs } = this.#options;
    const trial = await this.control(local, domain);
    const isUnanswered = trial.rung === 'unclear' && !isUngreeted(trial);
    return isUnanswered ? this.control(local, domain, replyMs * PATIENCE) : trial;
  }

  control(local: string, domain: string, replyMs = this.#options.replyMs): Promise<Trial> {
    const place = this.#place();
    const mail = `<antispam@${place.other}>`;
    const rcpt = [`<${local}@${domain}>`];
    const attempt = { variant: local, mail, rcpt, mayBeLocal: false };
    this.connections += 1;
    return tryForm(CONTROL, attempt, { ...this.#options, place, send: false, replyMs });
  }

  async try(form: Form, attempt: Attempt, place: Place): Promise<Trial> {
    const send = this.#options.level === 'active' && this.#messages > 0;
    const trial = await this.#run(form, attempt, place, send);
    if (trial.rung !== 'unclear') return trial;
    // Once more: a server that closes because of what came before says nothing about this form.
    return this.#run(form, attempt, place, send && this.#messages > 0);
  }

  /** Looks whether what was queued arrives. */
  follow(trial: Trial, place: Place | undefined): Promise<Trial> {
    return place === undefined
      ? Promise.resolve(trial)
      : followed(trial, { ...this.#options, place });
  }

  async #run(form: Form, attempt: Attempt, place: Place, send: boolean): Promise<Trial> {
    this.connections += 1;
    if (send) this.#messages -= 1;
    const trial = await tryForm(form, attempt, { ...this.#options, place, send });
    const spent = trial.rung === 'queued' || trial.rung === 'arrived';
    if (send && !spent) this.#messages += 1;
    return trial;
  }

  #place(): Place {
    const { place } = this.#options;
    return {
      ...place,
      foreign: this.#foreign,
      other: this.#other,
      token: controlName(this.#options.random, 'gibberish'),
    };
  }
}

/**
 * Whether the server reads `a%b@c` as a route: it refuses some as relaying, while it refuses names
 * that nobody has at its domains as unknown. Such a form accepted elsewhere is then no odd name.
 */
function seesRoutes(trials: readonly Trial[], nobody: readonly Trial[]): boolean {
  const unknown = nobody.some((trial) => trial.rung === 'refused' && !asRelay(trial));
  return unknown && trials.some((trial) => trial.mayBeLocal && asRelay(trial));
}

function asRelay({ rung, answer }: Trial): boolean {
  // `User unknown in relay recipient table` is about a name.
  return rung === 'refused' && /\brelay(?! recipient)|\b[45]\.7\.1\b/i.test(answer);
}

function judgeTrial(trial: Trial, isCatchAll: boolean, local: boolean): Judged['verdict'] {
  const { rung, mayBeLocal } = trial;
  if (rung === 'not-applicable') return rung;
  // A login may relay: whether in any name is told by its own check.
  if (trial.form === 'R32') return rung === 'unclear' ? 'unclear' : 'closed';
  if (rung === 'refused') return 'closed';
  if (rung === 'unclear') return 'unclear';
  if (rung === 'arrived') return 'relays';
  if (mayBeLocal && local) return 'may-be-local';
  // Queued, and names that nobody has are refused: it is not a mailbox of its own.
  return rung === 'queued' && !isCatchAll ? 'relays' : 'accepts';
}

function conclude(trials: readonly Judged[]): [RelayVerdict, string] {
  const having = (verdict: Judged['verdict']): Judged[] =>
    trials.filter((trial) => trial.verdict === verdict);
  for (const verdict of ['relays', 'accepts', 'may-be-local'] as const) {
    const some = having(verdict);
    const forms = [...new Set(some.map(({ form }) => form))].join(', ');
    if (some.length > 0) return [verdict, `${some.length} attempts (${forms}): ${some[0]?.answer}`];
  }
  const unclear = having('unclear');
  const tried = trials.length - having('not-applicable').length;
  if (unclear.length > 0) {
    return ['unclear', `${unclear.length} of ${tried} attempts: ${unclear[0]?.answer}`];
  }
  return ['closed', `all ${tried} attempts were refused`];
}

/** What a server allows depends on who asks: a relay for its own networks is no open relay. */
export function vantageOf(source: string | undefined, target: string): string[] {
  if (source === undefined) return [];
  const notes = [`asked from ${source}`];
  if (source === target) notes.push('source and target are the same address: it may be trusted');
  if (source === '127.0.0.1' || source === '::1') {
    notes.push('loopback is a trusted client of many servers: use --source 127.66.0.1 or alike');
  } else if (source.startsWith('127.')) {
    // As Debian sets Postfix up.
    notes.push('where 127.0.0.0/8 is in mynetworks it is trusted, too: ask from outside');
  } else if (/^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/i.test(source)) {
    notes.push('a private source may be in its mynetworks: ask from outside too');
  }
  return notes;
}
