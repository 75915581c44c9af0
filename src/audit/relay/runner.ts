/** Makes the attempts of one relay survey, as patiently and as many at once as its server needs. */

import type { Random } from '#base/world.ts';
import { controlName } from '../users/controls.ts';
import type { Attempt, Form } from './forms.ts';
import type { Place } from './place.ts';
import { followed, tryForm, type Trial, type TrialOptions } from './trial.ts';

export interface SurveyOptions extends Omit<TrialOptions, 'place' | 'send' | 'helloMs'> {
  readonly random: Random;
  /** All but the token, which is fresh for each attempt. */
  readonly place: Omit<Place, 'token'>;
  readonly forms?: readonly Form[];
  readonly level: 'safe' | 'active';
  /** Messages that may be sent. */
  readonly messages: number;
  /** Milliseconds that are left for all of it. */
  leftMs(): number;
}

/** One attempt of a form, at a place of its own. */
export interface Job {
  readonly form: Form;
  readonly attempt: Attempt;
  readonly place: Place;
}

/**
 * So many times what an answer usually may take: some ask the next host about a name first (Postfix'
 * reject_unverified_recipient, up to nine seconds), some hold a refusal back (Courier's tarpit, eight).
 */
const PATIENCE = 4;
/** Attempts at the same time; most of them wait where answers are held back. */
const AT_ONCE = { usual: 4, heldBack: 12 };
/** Who takes longer holds answers back. */
const HELD_BACK_MS = 1_000;
/** Kept for the verdict. */
const RESERVE_MS = 500;

const CONTROL: Form = { id: 'control', title: 'control', level: 'safe', attempts: () => [] };

export class Runner {
  readonly #options: SurveyOptions;
  #messages: number;
  #other: string;
  #replyMs: number;
  #parallel = AT_ONCE.usual;
  connections = 0;

  constructor(options: SurveyOptions) {
    this.#options = options;
    this.#messages = options.messages;
    this.#other = options.place.other;
    this.#replyMs = options.replyMs;
  }

  /** For each answer to what is no control. */
  get replyMs(): number {
    return this.#replyMs;
  }

  /** Attempts at the same time. */
  get parallel(): number {
    return this.#parallel;
  }

  /** Whether there is time for the longest that an attempt's recipients are waited for. */
  hasTimeFor({ attempt: { rcpt } }: Job): boolean {
    const waits = (rcpt.length * (rcpt.length + 1)) / 2;
    return this.#options.leftMs() > this.#replyMs * waits + RESERVE_MS;
  }

  /** A domain that is nobody's. */
  get nowhere(): string {
    return this.#options.place.other;
  }

  /** Senders of all forms that do not say otherwise from now on. */
  writeAs(domain: string): void {
    this.#other = domain;
  }

  /** What takes a control that long takes other names as long. */
  learn(controls: readonly Trial[]): void {
    const answered = controls.filter(({ rung }) => rung !== 'unclear');
    const slowestMs = Math.max(0, ...answered.map(({ ms }) => ms));
    if (slowestMs <= HELD_BACK_MS) return;
    this.#parallel = AT_ONCE.heldBack;
    this.#replyMs = Math.min(Math.max(this.#replyMs, 2 * slowestMs), this.#patientMs);
  }

  /** A name that nobody has. */
  nobody(): string {
    return controlName(this.#options.random, 'gibberish');
  }

  /**
   * A form's attempts to have mail go to a foreign domain, each with a token of its own: what
   * arrives tells which it was.
   */
  jobsOf(form: Form, foreign: string): readonly Job[] {
    const count = form.attempts(this.#place(foreign)).length;
    return Array.from({ length: count }, (_, index) => {
      const place = this.#place(foreign);
      const attempt = form.attempts(place)[index];
      return attempt === undefined ? [] : { form, attempt, place };
    }).flat();
  }

  /** Asks for one name, with all patience. */
  control(local: string, domain: string): Promise<Trial> {
    const place = this.#place(this.#options.place.foreign);
    const mail = `<antispam@${place.other}>`;
    const rcpt = [`<${local}@${domain}>`];
    const attempt = { variant: local, mail, rcpt, mayBeLocal: false };
    this.connections += 1;
    return tryForm(CONTROL, attempt, this.#trial(place, false, this.#patientMs));
  }

  async try(job: Job): Promise<Trial> {
    const send = this.#options.level === 'active' && this.#messages > 0;
    const trial = await this.#run(job, send);
    if (trial.rung !== 'unclear' || !this.hasTimeFor(job)) return trial;
    // Once more: a server that closes because of what came before says nothing about this form.
    return this.#run(job, send && this.#messages > 0);
  }

  /** Looks whether what was queued arrives. */
  async follow(trial: Trial, place: Place | undefined): Promise<Trial> {
    if (place === undefined) return trial;
    const { canary, arrivalMs, leftMs } = this.#options;
    return followed(trial, {
      place,
      canary,
      arrivalMs: Math.min(arrivalMs, leftMs() - RESERVE_MS),
    });
  }

  async #run({ form, attempt, place }: Job, send: boolean): Promise<Trial> {
    this.connections += 1;
    if (send) this.#messages -= 1;
    const trial = await tryForm(form, attempt, this.#trial(place, send, this.#replyMs));
    const spent = trial.rung === 'queued' || trial.rung === 'arrived';
    if (send && !spent) this.#messages += 1;
    return trial;
  }

  #trial(place: Place, send: boolean, replyMs: number): TrialOptions {
    return { ...this.#options, helloMs: this.#options.replyMs, place, send, replyMs };
  }

  get #patientMs(): number {
    return this.#options.replyMs * PATIENCE;
  }

  #place(foreign: string): Place {
    return {
      ...this.#options.place,
      foreign,
      other: this.#other,
      token: controlName(this.#options.random, 'gibberish'),
    };
  }
}
