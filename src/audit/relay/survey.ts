/** The relay survey: controls, every form, and a verdict that claims no more than was shown. */

import { asRelay, controlsFor } from './controls.ts';
import { NMAP_FORMS, RECIPIENT_FORMS, type Form } from './forms.ts';
import { askEtrn, type EtrnAnswer, RETURN_FORMS } from './returns.ts';
import { type Job, Runner, type SurveyOptions } from './runner.ts';
import type { Trial } from './trial.ts';
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

/** Tries every form, and the controls first: they tell how long an answer takes, too. */
export async function surveyRelay(options: SurveyOptions): Promise<Survey> {
  const runner = new Runner(options);
  const { canary, level, place } = options;
  const domains = place.domains.length > 0 ? place.domains.slice(0, 4) : [place.server];
  const controls = await controlsFor(domains, canary?.domain, runner);
  const { nobody, somebody, silence, isServerOfCanary } = controls;
  const isCatchAll = nobody.some(({ rung }) => rung === 'accepted');
  // That mail for our canary's domain goes to its own mail server is no relaying.
  const foreign = isServerOfCanary ? place.other : place.foreign;
  const forms = (options.forms ?? FORMS)
    .filter((form) => form.level === 'safe' || level === 'active')
    .flatMap((form) => runner.jobsOf(form, foreign));
  const comesBack = canary !== undefined && level === 'active' && silence === undefined;
  const returnForms = comesBack ? RETURN_FORMS : [];
  const returnJobs = returnForms.flatMap((form) => runner.jobsOf(form, place.foreign));
  // Beside nothing else: a server that takes few connections at once shall answer it.
  const etrn = await askEtrn({ ...options, replyMs: runner.replyMs });
  const tried = await tryAll([...forms, ...returnJobs], runner, silence);
  const final = tried.slice(0, forms.length);
  const isRoute = seesRoutes(final, nobody);
  const trials = final.map((trial) => ({
    ...trial,
    // What a wide sign is to it, the routes of ASCII do not tell.
    verdict: judgeTrial(trial, isCatchAll, isCatchAll && (!isRoute || trial.form === 'R25')),
  }));
  const [verdict, why] = conclude(trials);
  const { connections } = runner;
  const source = trials.find(({ exchange }) => exchange?.source !== undefined)?.exchange?.source;
  const vantage = vantageOf(source?.address, place.address);
  if (isServerOfCanary) {
    vantage.push(`it takes mail for ${place.foreign} itself: nothing was sent there`);
  }
  const told = { nobody, somebody, isCatchAll };
  const returns = tried.slice(forms.length);
  return { verdict, why, trials, controls: told, returns, etrn, connections, vantage };
}

/** In the order of the jobs. `silence`: what a server says that answers nobody. */
async function tryAll(
  jobs: readonly Job[],
  runner: Runner,
  silence: Trial | undefined,
): Promise<readonly Trial[]> {
  // A server that waits for a PROXY header says nothing to all others: no need to wait each time.
  const waits = ({ attempt }: Job): boolean =>
    silence !== undefined && attempt.prologue === undefined;
  const tried: Trial[] = [];
  // What takes longest first: each recipient more may be held back longer.
  const left = [...jobs.entries()].sort(
    ([, a], [, b]) => b.attempt.rcpt.length - a.attempt.rcpt.length,
  );
  const attempt = async (job: Job): Promise<Trial> => {
    if (silence !== undefined && waits(job)) return untried(job, silence);
    return runner.hasTimeFor(job) ? runner.try(job) : untried(job, LATE);
  };
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, job] = next;
      tried[index] = await attempt(job);
    }
  };
  await Promise.all(Array.from({ length: runner.parallel }, worker));
  // Who was crowded out by ourselves is tried again, one after the other.
  for (const [index, job] of jobs.entries()) {
    const crowdedOut =
      tried[index]?.rung === 'unclear' && /greeting: 421/.test(tried[index].answer);
    if (crowdedOut) tried[index] = await attempt(job);
  }
  // All at once: a server that delivers nothing costs the time of one message, not of each.
  return Promise.all(tried.map((trial, index) => runner.follow(trial, jobs[index]?.place)));
}

/** What is told of attempts for which the probe's time was too short. */
const LATE: Said = {
  rung: 'unclear',
  answer: 'not tried: answers come so late that there was no time for all',
  trusted: false,
  ms: 0,
  exchange: undefined,
};

/** What a trial says, whatever was tried. */
type Said = Pick<Trial, 'rung' | 'answer' | 'trusted' | 'ms' | 'exchange'>;

function untried({ form, attempt }: Job, said: Said): Trial {
  const { variant, mail, rcpt, mayBeLocal } = attempt;
  const { rung, answer, trusted, ms, exchange } = said;
  const path = rcpt.at(-1) ?? '';
  const what = { form: form.id, title: form.title, variant, mail, rcpt: path, mayBeLocal };
  return { ...what, rung, answer, trusted, ms, exchange };
}

/**
 * Whether the server reads `a%b@c` as a route: it refuses some as relaying, while it refuses names
 * that nobody has at its domains as unknown. Such a form accepted elsewhere is then no odd name.
 */
function seesRoutes(trials: readonly Trial[], nobody: readonly Trial[]): boolean {
  const unknown = nobody.some((trial) => trial.rung === 'refused' && !asRelay(trial));
  return unknown && trials.some((trial) => trial.mayBeLocal && asRelay(trial));
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
