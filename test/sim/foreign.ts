/** Foreign servers: honest, grey-listing, slow, lying and rude ones, all scripted by a seed. */

import { latin1, utf8 } from '#base/bytes.ts';
import type { Connection, Receiver } from '#base/world.ts';
import type { Chance } from './chance.ts';
import { MINUTE, type Owner, type Timeline } from './timeline.ts';

export const MANNERS = [
  'honest',
  'greylist',
  'defers',
  'rejects',
  'deaf',
  'forgets-reply',
  'tarpit',
  'liar',
  'moody',
] as const;
export type Manner = (typeof MANNERS)[number];

type Step = 'CONNECT' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'EOD';
const STEPS: readonly Step[] = ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'];

interface Word {
  readonly say: string;
  readonly end?: 'close' | 'reset' | 'silence';
  readonly delayMs?: number;
}

const USUAL: Readonly<Record<Step, string>> = {
  CONNECT: '220 foreign.example ESMTP',
  EHLO: '250-foreign.example\r\n250-SIZE 0\r\n250 8BITMIME',
  MAIL: '250 2.1.0 sender',
  RCPT: '250 2.1.5 recipient',
  DATA: '354 go on',
  EOD: '250 2.0.0 taken',
};

const LIES: readonly Word[] = [
  { say: '250' },
  { say: '354 what' },
  { say: '99 no such code' },
  { say: '250-never\r\n250-ending\r\n220 other' },
  { say: '250 one\r\n250 two\r\n250 three' },
  { say: '\x1b[2Jabc' },
  { say: '421 4.3.2 going down' },
  { say: '', end: 'close' },
  { say: '250 2.0.0 fi', end: 'reset' },
  { say: '', end: 'silence' },
];

export class ForeignServer {
  readonly domain: string;
  readonly manner: Manner;
  /** Capabilities and moods are the same for the whole run. */
  readonly #step: Step;
  readonly #pipelining: boolean;
  readonly #dsn: boolean;
  readonly #chance: Chance;
  readonly #seen = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #owner: Owner;
  /** From then on it is honest. */
  readonly #reformsMs: number;
  #forgets: number;

  constructor(timeline: Timeline, chance: Chance, domain: string, manner: Manner) {
    this.domain = domain;
    this.manner = manner;
    this.#timeline = timeline;
    this.#chance = chance;
    this.#owner = { name: domain, alive: true };
    this.#step = chance.pick(STEPS);
    this.#pipelining = chance.odds(0.7);
    this.#dsn = chance.odds(0.3);
    this.#reformsMs = chance.odds(0.5) ? chance.int(10, 240) * MINUTE : Infinity;
    this.#forgets = chance.int(1, 3);
  }

  get owner(): Owner {
    return this.#owner;
  }

  accept(connection: Connection): void {
    const session = new Session(connection, this.#timeline, this.#owner, (step, about) =>
      this.#word(step, about),
    );
    connection.open(session);
    session.greet();
  }

  #word(step: Step, about: string): Word {
    const usual: Word = { say: step === 'EHLO' ? this.#hello() : USUAL[step] };
    const late = this.#timeline.nowMs >= this.#reformsMs;
    switch (this.manner) {
      case 'greylist':
        return step === 'RCPT' ? this.#grey(about, usual) : usual;
      case 'defers':
        return step === this.#step && !late ? { say: '450 4.2.1 try again later' } : usual;
      case 'rejects':
        return step === this.#step ? { say: '550 5.1.1 not here' } : usual;
      case 'deaf':
        return step === this.#step && !late ? { say: '', end: 'silence' } : usual;
      case 'forgets-reply':
        if (step !== 'EOD' || this.#forgets <= 0) return usual;
        this.#forgets -= 1;
        return { say: '', end: this.#chance.pick(['close', 'reset', 'silence']) };
      case 'tarpit':
        return { ...usual, delayMs: this.#chance.skewed(8 * MINUTE) };
      case 'liar':
        return step === this.#step && !late ? this.#chance.pick(LIES) : usual;
      case 'moody':
        return this.#chance.odds(0.8) ? usual : this.#mood(step);
      default:
        return usual;
    }
  }

  #hello(): string {
    const more = [...(this.#pipelining ? ['PIPELINING'] : []), ...(this.#dsn ? ['DSN'] : [])];
    return [...USUAL.EHLO.split('\r\n').slice(0, -1), ...more.map((word) => `250-${word}`)]
      .concat('250 8BITMIME')
      .join('\r\n');
  }

  #grey(about: string, usual: Word): Word {
    const first = this.#seen.get(about) ?? this.#timeline.nowMs;
    this.#seen.set(about, first);
    const waited = this.#timeline.nowMs - first;
    return waited >= 10 * MINUTE ? usual : { say: '451 4.7.1 grey-listed' };
  }

  #mood(step: Step): Word {
    if (step === 'EOD' && this.#chance.odds(0.3)) return { say: '', end: 'reset' };
    const moods: readonly Word[] = [
      { say: '450 4.2.1 not now' },
      { say: '554 5.7.1 no' },
      { say: '421 4.3.2 closing', end: 'close' },
      { say: '', end: 'reset' },
      { say: USUAL[step], delayMs: 3 * MINUTE },
    ];
    return this.#chance.pick(moods);
  }
}

/** One connection to it. */
class Session implements Receiver {
  readonly #connection: Connection;
  readonly #timeline: Timeline;
  readonly #owner: Owner;
  readonly #judge: (step: Step, about: string) => Word;
  #text = '';
  #data = false;
  #mail = '';
  #recipients = 0;
  #silent = false;
  /** Answers in order, one after the other. */
  #freeMs = 0;

  constructor(
    connection: Connection,
    timeline: Timeline,
    owner: Owner,
    judge: (step: Step, about: string) => Word,
  ) {
    this.#connection = connection;
    this.#timeline = timeline;
    this.#owner = owner;
    this.#judge = judge;
  }

  greet(): void {
    this.#answer('CONNECT', '');
  }

  received(bytes: Uint8Array): void {
    this.#text += latin1(bytes);
    while (!this.#silent && this.#take());
  }

  drained(): void {
    // It never says much.
  }

  ended(): void {
    this.#connection.end();
  }

  closed(): void {
    this.#silent = true;
  }

  #take(): boolean {
    if (this.#data) return this.#takeContent();
    const end = this.#text.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    this.#command(line);
    return true;
  }

  #takeContent(): boolean {
    const end = this.#text.startsWith('.\r\n') ? 0 : this.#text.indexOf('\r\n.\r\n') + 2;
    if (end === 1) return false;
    this.#text = this.#text.slice(end + 3);
    this.#data = false;
    this.#answer('EOD', '');
    this.#mail = '';
    this.#recipients = 0;
    return true;
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO' || verb === 'HELO') this.#answer('EHLO', line);
    else if (verb === 'MAIL') {
      this.#mail = line;
      this.#answer('MAIL', line);
    } else if (verb === 'RCPT') {
      if (this.#answer('RCPT', `${this.#mail} ${line}`).startsWith('250')) this.#recipients += 1;
    } else if (verb === 'DATA') {
      if (this.#recipients === 0) this.#say({ say: '554 5.5.1 no recipients' });
      else this.#data = this.#answer('DATA', '').startsWith('354');
    } else if (verb === 'QUIT') this.#say({ say: '221 2.0.0 bye', end: 'close' });
    else {
      if (verb === 'RSET') this.#recipients = 0;
      this.#say({ say: verb === 'RSET' ? '250 2.0.0 reset' : '502 5.5.1 what' });
    }
  }

  #answer(step: Step, about: string): string {
    const word = this.#judge(step, about);
    this.#say(word);
    return word.say;
  }

  #say(word: Word): void {
    if (word.end !== undefined) this.#silent = true;
    this.#freeMs = Math.max(this.#freeMs, this.#timeline.nowMs) + (word.delayMs ?? 0);
    this.#timeline.at(this.#freeMs - this.#timeline.nowMs, this.#owner, 'says', () => {
      if (word.say !== '') this.#connection.write(utf8(`${word.say}\r\n`));
      if (word.end === 'close') this.#connection.end();
      if (word.end === 'reset') this.#connection.destroy();
    });
  }
}
