/** Jobs as they come to the writer's thread, read in the order in which `packJobs` wrote them. */

import type { AccountId } from '#base/brand.ts';
import type { Content, MessageFacts } from '#store/content.ts';
import type {
  AppendedMessage,
  NewRecipient,
  OperationName,
  Operations,
  Relay,
} from '#store/operations.ts';
import type { TakenAcceptance } from '../steps/delivery.ts';
import type { WrittenEntry } from '../steps/ledger.ts';
import type { Job, PackedJobs } from './message.ts';

/** The same jobs; octets are views of the one buffer, ledger entries are as they are written. */
export function unpackJobs(packed: PackedJobs): Job[] {
  const unpacker = new Unpacker(packed);
  const jobs: Job[] = [];
  while (!unpacker.isEmpty) jobs.push(unpacker.job());
  return jobs;
}

class Unpacker {
  readonly #values: readonly unknown[];
  readonly #octets: Uint8Array;
  readonly #contents: Content[] = [];
  readonly #facts: MessageFacts[] = [];
  #at = 0;
  #used = 0;

  constructor({ values, octets }: PackedJobs) {
    this.#values = values;
    this.#octets = octets;
  }

  get isEmpty(): boolean {
    return this.#at === this.#values.length;
  }

  job(): Job {
    const ticket = this.#next<number>();
    const operation = this.#next<OperationName>();
    return { ticket, operation, input: this.#input(operation) };
  }

  #input(operation: OperationName): unknown {
    switch (operation) {
      case 'accept':
        return { acceptance: this.#acceptance() };
      case 'append': {
        const mailbox = this.#next<Operations['append']['input']['mailbox']>();
        return { mailbox, messages: this.#times(() => this.#message()) };
      }
      case 'settle': {
        const id = this.#next<string>();
        const settlements = this.#next<Operations['settle']['input']['settlements']>();
        const notices = this.#times(() => this.#acceptance());
        return { id, settlements, notices, ledger: this.#ledger() };
      }
      default:
        return this.#next();
    }
  }

  #acceptance(): TakenAcceptance {
    return {
      id: this.#next(),
      atMs: this.#next(),
      deliveries: this.#times(() => {
        const [account, mailbox] = [this.#next<AccountId>(), this.#next<string>()];
        return { account, mailbox, ...this.#message() };
      }),
      relay: this.#next<boolean>() ? this.#relay() : undefined,
      ledger: this.#ledger(),
    };
  }

  #message(): AppendedMessage {
    return {
      flags: this.#list(),
      internalDateMs: this.#next(),
      content: this.#content(),
      facts: this.#factsOf(),
    };
  }

  #relay(): Relay {
    const envelope: Relay['envelope'] = {
      reversePath: this.#next(),
      ret: this.#next(),
      envelopeId: this.#next(),
      smtpUtf8: this.#next(),
      body: this.#next(),
      tls: this.#next(),
    };
    return {
      envelope,
      content: this.#content(),
      submitter: this.#next(),
      recipients: this.#times(() => this.#recipient()),
    };
  }

  #recipient(): NewRecipient {
    const recipient: NewRecipient = {
      address: this.#next(),
      domain: this.#next(),
      notify: this.#next(),
      originalRecipient: this.#next(),
      nextMs: this.#next(),
      expiresMs: this.#next(),
    };
    const held = this.#next<string | undefined>();
    return held === undefined ? recipient : { ...recipient, held };
  }

  #ledger(): WrittenEntry[] {
    return this.#times(() => ({
      atMs: this.#next(),
      kind: this.#next(),
      session: this.#next(),
      queueId: this.#next(),
      keys: this.#next(),
      facts: this.#next(),
    }));
  }

  #content(): Content {
    const known = this.#contents[this.#next<number>()];
    if (known !== undefined) return known;
    const head = this.#bytes();
    const body = this.#next<number | Exclude<Content['body'], Uint8Array>>();
    const content = { head, body: typeof body === 'number' ? this.#view(body) : body };
    this.#contents.push(content);
    return content;
  }

  #factsOf(): MessageFacts {
    const known = this.#facts[this.#next<number>()];
    if (known !== undefined) return known;
    const facts: MessageFacts = {
      envelope: this.#bytes(),
      bodyStructure: this.#bytes(),
      parts: this.#next(),
      sentMs: this.#next(),
      messageId: this.#next(),
      subject: this.#next(),
      from: this.#next(),
      to: this.#next(),
      cc: this.#next(),
      bcc: this.#next(),
      references: this.#list(),
    };
    this.#facts.push(facts);
    return facts;
  }

  #list(): string[] {
    return this.#times(() => this.#next<string>());
  }

  #times<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.#next<number>(); left > 0; left -= 1) items.push(read());
    return items;
  }

  #bytes(): Uint8Array {
    return this.#view(this.#next());
  }

  #view(length: number): Uint8Array {
    const start = this.#used;
    this.#used += length;
    return this.#octets.subarray(start, this.#used);
  }

  /** What `packJobs` put here, of the type that it had. */
  #next<T>(): T {
    const value = this.#values[this.#at];
    this.#at += 1;
    return value as T;
  }
}
