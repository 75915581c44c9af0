/** Drives an IMAP machine in tests: a client that sends octets and reads what comes back. */

import assert from 'node:assert/strict';
import { latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import { secure } from '../sasl/fixture.test.ts';
import { createImapMachine, type ImapAction, type ImapMachine } from './machine.ts';
import type { ImapOptions } from './options.ts';
import type { ImapAnswer, ImapFact, ImapQuestion } from './questions.ts';
import { ACCOUNT, MemoryAccess } from './fixture-access.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

export class Client {
  readonly access: MemoryAccess;
  readonly machine: ImapMachine;
  readonly facts: ImapFact[] = [];
  /** Kinds of actions but `send`, and the text of neighbouring sends joined. */
  readonly actions: string[] = [];
  closed = false;
  wantsTls = false;
  deadlineMs = 0;
  readonly deadlines: number[] = [];
  flushes = 0;
  #output = '';
  #news = false;
  #busy: Promise<void> = Promise.resolve();

  constructor(
    mail: MemoryMail = new MemoryMail(),
    options: Partial<ImapOptions> = {},
    tls: Secure | 'clear' = secure(),
  ) {
    this.access = new MemoryAccess(mail, () => this.#poke());
    this.machine = createImapMachine(tls === 'clear' ? undefined : tls, options);
    this.#queue(() => this.machine.start());
  }

  /** Logged in, greeting and login read. */
  static async loggedIn(mail?: MemoryMail, options?: Partial<ImapOptions>): Promise<Client> {
    const client = new Client(mail, options);
    await client.run('l LOGIN user pencil');
    return client;
  }

  /** The same with INBOX selected. */
  static async selected(mail?: MemoryMail, options?: Partial<ImapOptions>): Promise<Client> {
    const client = await Client.loggedIn(mail, options);
    await client.run('s SELECT INBOX');
    return client;
  }

  /** Sends octets (text as UTF-8), cut into pieces; resolves when everything is quiet. */
  async send(octets: string | Uint8Array, piece = Infinity): Promise<void> {
    const bytes = typeof octets === 'string' ? utf8(octets) : octets;
    const size = Math.min(piece, Math.max(1, bytes.length));
    for (let at = 0; at < bytes.length; at += size) {
      const slice = bytes.slice(at, at + size);
      this.#queue(() => (this.closed ? [] : this.machine.receive(slice)));
      if (this.closed) break;
    }
    await this.quiet();
  }

  /** Sends lines (each gets its CRLF) and returns what came back since the last read. */
  async run(...lines: string[]): Promise<string> {
    await this.send(lines.map((line) => `${line}\r\n`).join(''));
    return this.read();
  }

  /** What came since the last read, octets as latin1. */
  read(): string {
    const output = this.#output;
    this.#output = '';
    return output;
  }

  async quiet(): Promise<void> {
    let last;
    do {
      last = this.#busy;
      await last;
    } while (last !== this.#busy);
  }

  async secured(): Promise<void> {
    this.#queue(() => this.machine.secured(secure()));
    await this.quiet();
  }

  async happens(what: 'expired' | 'ended' | 'stop'): Promise<string> {
    this.#queue(() => this.machine[what]());
    await this.quiet();
    return this.read();
  }

  #poke(): void {
    if (this.#news) return;
    this.#news = true;
    this.#queue(() => {
      this.#news = false;
      return this.closed ? [] : this.machine.changed();
    });
  }

  #queue(make: () => ImapAction[]): void {
    this.#busy = this.#busy.then(() => this.#perform(make()));
  }

  async #perform(first: ImapAction[]): Promise<void> {
    let actions: ImapAction[] | undefined = first;
    while (actions !== undefined) actions = await this.#list(actions);
  }

  async #list(actions: ImapAction[]): Promise<ImapAction[] | undefined> {
    for (const action of actions) {
      this.#note(action);
      switch (action.kind) {
        case 'send':
          this.#output += latin1(action.bytes);
          break;
        case 'tell':
          this.facts.push(action.fact);
          break;
        case 'deadline':
          this.deadlineMs = action.ms;
          this.deadlines.push(action.ms);
          break;
        case 'close':
          this.closed = true;
          return undefined;
        case 'flush':
          this.flushes++;
          return this.machine.continue();
        case 'start-tls':
          this.wantsTls = true;
          return undefined;
        case 'ask':
          return this.#ask(action.question);
        default:
          assert.fail(`an IMAP machine has no ${action.kind}`);
      }
    }
    return undefined;
  }

  async #ask(question: ImapQuestion): Promise<ImapAction[]> {
    let answer: ImapAnswer;
    try {
      answer = await this.#answer(question);
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      return this.machine.failed(thrown);
    }
    return this.machine.answer(answer);
  }

  async #answer(question: ImapQuestion): Promise<ImapAnswer> {
    if (question.kind === 'nonce') return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce') };
    if (question.kind === 'store') {
      assert.equal(question.who.account, ACCOUNT);
      return { kind: 'stored', value: await question.run(this.access) };
    }
    const asked = question.question;
    assert.equal(asked.kind, 'password');
    if (asked.login === 'broken') throw Failure.temporary('login-busy', 'not now');
    const right =
      asked.kind === 'password' && asked.login === 'user' && asked.password.reveal() === 'pencil';
    const identity = right ? { account: ACCOUNT, address: 'user@demo.test' } : undefined;
    return { kind: 'sasl', answer: { kind: 'password', identity } };
  }

  #note(action: ImapAction): void {
    const last = this.actions.at(-1) ?? '';
    if (action.kind !== 'send') this.actions.push(action.kind);
    else if (last.startsWith('send '))
      this.actions[this.actions.length - 1] += latin1(action.bytes);
    else this.actions.push(`send ${latin1(action.bytes)}`);
  }
}

/** Plays `C:` and `S:` lines: everything the server says must stand there, in that order. */
export async function play(client: Client, transcript: string): Promise<void> {
  const lines = transcript
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line !== '');
  let sent: string[] = [];
  let expected: string[] = [];
  const turn = async (): Promise<void> => {
    if (sent.length === 0) return;
    const said = await client.run(...sent);
    assert.deepEqual(said.split('\r\n').slice(0, -1), expected, `after ${sent.join(' | ')}`);
    sent = [];
    expected = [];
  };
  for (const line of lines) {
    if (line.startsWith('C:')) {
      if (expected.length > 0) await turn();
      sent.push(line.slice(3));
    } else expected.push(line.slice(3));
  }
  await turn();
}
