/** What the gate asked and noticed while it judged one transaction: DNS answers and remarks. */

import type { JsonObject } from '#base/json.ts';
import type { Clock, Resolver } from '#base/world.ts';
import { type DnsFact, Questions, dnsEvidence } from '#trust/questions.ts';
import { type Authentication, NOTHING_VERIFIED } from './authentication.ts';

/** A remark that refuses nothing: `hold` and `quarantine` still change where the mail goes. */
export interface Note {
  readonly kind: 'warning' | 'hold' | 'quarantine';
  readonly rule: string;
  readonly why: string;
}

export interface InquiryOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** Milliseconds for all DNS questions of one command. Default 10,000. */
  readonly commandMs?: number;
}

const COMMAND_MS = 10_000;
/** Bounds what one transaction of a thousand recipients writes into the ledger. */
const FACTS = 60;
const NOTES = 60;

/** Costs nothing until somebody asks: a transaction that needs no DNS makes no promise. */
export class Inquiry {
  /** Replaced by whoever verifies: at MAIL, and again when the content is there. */
  authentication: Authentication = NOTHING_VERIFIED;
  readonly #options: InquiryOptions;
  #asked: Questions[] = [];
  readonly #notes: Note[] = [];
  #facts: DnsFact[] = [];

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  /** A fresh budget, for one command; all answers end up in `facts`. */
  questions(): Questions {
    const { resolver, clock, commandMs = COMMAND_MS } = this.#options;
    const questions = new Questions({ resolver, clock, totalMs: commandMs });
    this.#collect();
    this.#asked.push(questions);
    return questions;
  }

  note(note: Note): void {
    if (this.#notes.length < NOTES) this.#notes.push(note);
  }

  get notes(): readonly Note[] {
    return this.#notes;
  }

  /** For the ledger: every answer that a decision rests on, and every remark; often empty. */
  facts(): JsonObject {
    this.#collect();
    return {
      ...(this.#facts.length === 0 ? {} : { dns: dnsEvidence(this.#facts) }),
      ...(this.#notes.length === 0 ? {} : { notes: this.#notes.map((note) => ({ ...note })) }),
    };
  }

  /** Takes over the answers of earlier commands; the same question is told once. */
  #collect(): void {
    if (this.#asked.length === 0) return;
    const known = new Set(this.#facts.map(({ type, name }) => `${type} ${name}`));
    for (const fact of this.#asked.flatMap(({ facts }) => facts)) {
      if (known.has(`${fact.type} ${fact.name}`) || this.#facts.length >= FACTS) continue;
      this.#facts.push(fact);
      known.add(`${fact.type} ${fact.name}`);
    }
    // A question of the last command may still be on its way; those before it have ended.
    this.#asked = this.#asked.slice(-1);
  }
}
