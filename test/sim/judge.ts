/** The checks of a finished run: every acknowledged message has exactly one end, and nothing else. */

import type { Admd } from './admd.ts';
import { type Notice, readMessage, type SeenMessage } from './message.ts';
import type { Pair } from './pair.ts';
import type { KeptEntry, KeptRow, Platter } from './platter.ts';
import type { Posting } from './posting.ts';
import { reachable, resolveAt } from './town.ts';
import { type Transaction, transactionsOf } from './transcript.ts';

/** Everything that is known when all is quiet. */
export interface Facts {
  readonly admds: readonly Admd[];
  readonly platters: ReadonlyMap<Admd, Platter>;
  readonly postings: readonly Posting[];
  readonly pairs: readonly Pair[];
}

export interface Tally {
  /** Clients heard a 250. */
  readonly accepted: number;
  /** Messages in mailboxes, notices among them. */
  readonly delivered: number;
  /** Transactions between hosts that ended with 250. */
  readonly relayed: number;
  /** Those that were read to the end, but whose answer was never heard. */
  readonly unanswered: number;
  readonly notices: number;
}

/** A message that a host sent, or tried to. */
interface Sent extends Transaction {
  readonly message: SeenMessage;
  readonly from: Admd;
  readonly to: Admd | undefined;
  /** The sending host's name for it. */
  readonly id: string;
}

interface Copy {
  readonly admd: Admd;
  readonly account: string;
  readonly message: SeenMessage;
}

/** Copies of one message that may be on their way before it counts as growing. */
const MOST_HOPS = 1_500;

export class Judge {
  readonly #facts: Facts;
  readonly #violations = new Set<string>();
  readonly #postings: ReadonlyMap<string, Posting>;
  readonly #sent: readonly Sent[];
  readonly #sentById: ReadonlyMap<string, readonly Sent[]>;
  readonly #copies: readonly Copy[];
  readonly #copiesById: ReadonlyMap<string, readonly Copy[]>;
  readonly #ledgerById: ReadonlyMap<string, readonly KeptEntry[]>;
  /** Notices by host and their own id. */
  readonly #notices = new Map<string, { readonly admd: Admd; readonly message: SeenMessage }>();
  /** By what they are about. */
  readonly #noticesById = new Map<string, Notice[]>();
  readonly #judged = new Set<string>();

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#postings = new Map(facts.postings.map((posting) => [posting.token, posting]));
    this.#sent = this.#readSent();
    this.#sentById = Map.groupBy(this.#sent, ({ from, id }) => `${from.hostname} ${id}`);
    this.#copies = [...facts.platters].flatMap(([admd, { mail }]) =>
      mail.map(({ account, text }) => ({ admd, account, message: readMessage(text) })),
    );
    this.#copiesById = Map.groupBy(this.#copies, ({ admd, message }) => {
      return `${admd.hostname} ${message.hops[0]?.id}`;
    });
    const ledger = [...facts.platters].flatMap(([admd, platter]) =>
      platter.ledger.map((entry) => ({ ...entry, name: `${admd.hostname} ${entry.id}` })),
    );
    this.#ledgerById = Map.groupBy(ledger, ({ name }) => name);
    this.#findNotices();
  }

  /** What is wrong, in sentences; empty: nothing. */
  violations(): readonly string[] {
    for (const posting of this.#facts.postings) this.#judgePosting(posting);
    for (const notice of this.#notices.values()) this.#judgeNotice(notice);
    for (const copy of this.#copies) this.#judgeCopy(copy);
    this.#judgeSent();
    for (const [admd, { check }] of this.#facts.platters) {
      if (check !== 'ok') this.#wrong(`${admd.directory.domain}: database damaged: ${check}`);
    }
    return [...this.#violations];
  }

  /** How much there was to judge: a run in which nothing happens proves nothing. */
  tally(): Tally {
    const lost = this.#sent.filter(({ answer }) => answer === undefined).length;
    return {
      accepted: this.#facts.postings.filter(({ outcome }) => outcome === 'ok').length,
      delivered: this.#copies.length,
      relayed: this.#sent.filter(({ answer }) => isOk(answer?.code ?? 0)).length,
      unanswered: lost,
      notices: this.#notices.size,
    };
  }

  /** With the host and its name for the message, what its ledger tells is shown too. */
  #wrong(text: string, admd?: Admd, id?: string): void {
    const story = admd === undefined || id === undefined ? [] : this.#ledgerOf(admd, id);
    const told = story.map(({ kind, facts }) => `\n    ${kind} ${facts.slice(0, 600)}`);
    this.#violations.add(text + told.join(''));
  }

  /** An answer was heard: 250 means that it has an end; anything else that it is not there. */
  #judgePosting({ token, via, outcome, id, accepted, sender, login }: Posting): void {
    const admd = this.#facts.admds.find(({ directory }) => directory.domain === via);
    if (admd === undefined) throw new Error(`no such domain: ${via}`);
    if (login === undefined) {
      const foreign = accepted.filter((recipient) => !recipient.endsWith(`@${via}`));
      if (foreign.length > 0)
        this.#wrong(`relay: ${via} took mail of a stranger for ${foreign[0]}`);
    }
    if (outcome === 'ok') {
      if (id === undefined) this.#wrong(`${token}: 250 without a name for the message`);
      else this.#judgeAccepted(admd, id, sender, accepted, token);
    }
    if (outcome === 'none' || outcome === 'refused') {
      const there =
        this.#copies.some(({ message }) => message.token === token) ||
        this.#sent.some(({ message }) => message.token === token);
      if (there) this.#wrong(`invented: ${token} was ${outcome} and is there all the same`);
    }
  }

  /** A host has taken it: for each recipient it is here once, or has gone on, or is told of. */
  #judgeAccepted(
    admd: Admd,
    id: string,
    sender: string,
    recipients: readonly string[],
    what: string,
  ): void {
    const { directory, hostname } = admd;
    const name = `${what} (${directory.domain} ${id})`;
    const key = `${hostname} ${id}`;
    if (this.#judged.has(key)) return;
    this.#judged.add(key);
    const told = this.#ledgerOf(admd, id).some(({ kind }) => /^(?:accepted|notice)$/.test(kind));
    if (!told) this.#wrong(`ledger: nothing about ${name}`);
    const accounts = new Set<string>();
    const remote = new Set<string>();
    for (const recipient of recipients) {
      const resolved = resolveAt(directory, recipient);
      for (const account of resolved.accounts) accounts.add(account);
      for (const address of resolved.remote) remote.add(address);
    }
    for (const account of accounts) {
      const here = this.#copiesById.get(key) ?? [];
      const copies = here.filter((copy) => copy.account === account).length;
      if (copies === 0) this.#wrong(`lost: ${name} is not in the mailbox of ${account}`);
      if (copies > 1) this.#wrong(`doubled: ${name} is ${copies} times in ${account}`);
    }
    for (const address of remote) this.#judgeRow(admd, id, sender, address, name);
  }

  /** A row of the queue: gone on, told of, or still there; never two of them, never none. */
  #judgeRow(admd: Admd, id: string, sender: string, address: string, name: string): void {
    const sent = this.#sentFor(admd, id).filter(({ recipients }) => recipients.includes(address));
    const heard = sent.filter(({ answer }) => answer !== undefined && isOk(answer.code));
    const queued = this.#queueOf(admd).some((row) => row.id === id && row.address === address);
    const told = this.#noticesAbout(admd, id, address, 'failed');
    const row = `${name} for ${address}`;
    if (told > 1) this.#wrong(`notices: ${told} about the failure of ${row}`, admd, id);
    if (this.#noticesAbout(admd, id, address, 'delayed') > 1) {
      this.#wrong(`notices: several about the delay of ${row}`);
    }
    const ends = [heard.length > 0, queued, told > 0].filter(Boolean).length;
    const [first] = heard;
    if (ends > 1 && !(first !== undefined && this.#crashed(admd, first.answer?.at, undefined))) {
      this.#wrong(
        `two ends: ${row}: sent ${heard.length}, queued ${queued}, told ${told}`,
        admd,
        id,
      );
    }
    if (ends === 0 && !this.#mayVanish(admd, id, sender, address, name)) {
      this.#wrong(`lost: ${row} neither sent, nor queued, nor told of`, admd, id);
    }
    this.#judgeAgain(admd, sent, row);
    for (const { to, answer, recipients } of heard) {
      const next = / Accepted as (\S+)/.exec(answer?.text ?? '')?.[1];
      if (to === undefined || next === undefined) continue;
      this.#judgeAccepted(to, next, sender, recipients, name.split(' ', 1)[0] ?? name);
    }
  }

  /** RFC 1047: a second copy only when the answer to the first was lost, or the host with it. */
  #judgeAgain(admd: Admd, sent: readonly Sent[], row: string): void {
    const inOrder = sent.toSorted((a, b) => a.readAt - b.readAt);
    for (const [index, { answer }] of inOrder.entries()) {
      const again = inOrder[index + 1];
      if (again === undefined || answer === undefined || !isOk(answer.code)) continue;
      if (!this.#crashed(admd, answer.at, again.readAt)) {
        this.#wrong(`sent twice: ${row}, after ${answer.code} was heard`, admd, sent[0]?.id);
      }
    }
  }

  /** Mail from `<>`, mail whose sender does not exist, mail whose sender wants no notice. */
  #mayVanish(admd: Admd, id: string, sender: string, address: string, name: string): boolean {
    const ended = this.#ledgerOf(admd, id).some(
      ({ kind, facts }) => isEnd(kind) && facts.includes(address),
    );
    if (!ended) return false;
    if (sender === '') return true;
    const { accounts, remote } = resolveAt(admd.directory, sender);
    if (accounts.size + remote.size === 0) return true;
    return this.#postings.get(name.split(' ', 1)[0] ?? '')?.never === true;
  }

  #judgeNotice({ admd, message }: { admd: Admd; message: SeenMessage }): void {
    const { notice, hops, to } = message;
    const id = hops.at(-1)?.id ?? '';
    if (notice === undefined) return;
    const name = `notice-about-${notice.about}`;
    const about = this.#notices.has(`${notice.host} ${notice.about}`);
    const sentNull = this.#sentFor(admd, notice.about).some(({ sender }) => sender === '');
    const postedNull = this.#facts.postings.some(
      ({ id, sender }) => id === notice.about && sender === '',
    );
    if (about || sentNull || postedNull) this.#wrong(`notices: ${name} is about mail from <>`);
    this.#judgeAccepted(admd, id, '', [to], name);
  }

  /** Whatever is in a mailbox was sent by somebody who might, to this one, and is unchanged. */
  #judgeCopy({ admd, account, message }: Copy): void {
    const { token, notice, body, hops } = message;
    if (notice !== undefined) return;
    const posting = this.#postings.get(token ?? '');
    const name = `${token} in ${account}`;
    if (posting === undefined) {
      this.#wrong(`invented: ${name} (${admd.directory.domain})`);
      return;
    }
    if (posting.body !== body) this.#wrong(`altered: ${name} is not what was sent`);
    if (!this.#permitted(posting).has(account)) this.#wrong(`relay: ${name} was never permitted`);
    if (hops.at(-1)?.host !== `mx.${posting.via}`) this.#wrong(`invented: ${name} has other hops`);
  }

  /** Nothing is sent on that was not permitted; nothing goes round for ever. */
  #judgeSent(): void {
    const counts = new Map<string, number>();
    for (const { message, recipients, from, sender } of this.#sent) {
      // RFC 5321 4.5.5: or notices about notices would never end.
      if (message.notice !== undefined && sender !== '') {
        this.#wrong(`notices: one about ${message.notice.about} was sent from <${sender}>`);
      }
      if (message.token === undefined) continue;
      const count = (counts.get(message.token) ?? 0) + 1;
      counts.set(message.token, count);
      if (count === MOST_HOPS) this.#wrong(`growing: ${message.token} was sent ${count} times`);
      const posting = this.#postings.get(message.token);
      const permitted = posting === undefined ? undefined : this.#permitted(posting);
      for (const recipient of recipients) {
        if (permitted?.has(recipient) === true) continue;
        this.#wrong(`relay: ${from.directory.domain} sent ${message.token} to ${recipient}`);
      }
    }
  }

  /** Everything that may get this mail: a stranger can reach what is local, and from there on. */
  #permitted({ login, recipients, via }: Posting): ReadonlySet<string> {
    const directories = this.#facts.admds.map(({ directory }) => directory);
    const allowed = recipients.filter((one) => login !== undefined || one.endsWith(`@${via}`));
    return new Set(allowed.flatMap((one) => [...reachable(one, directories)]));
  }

  #sentFor(admd: Admd, id: string): readonly Sent[] {
    return this.#sentById.get(`${admd.hostname} ${id}`) ?? [];
  }

  #queueOf(admd: Admd): readonly KeptRow[] {
    return this.#facts.platters.get(admd)?.queue ?? [];
  }

  #noticesAbout(admd: Admd, id: string, address: string, action: string): number {
    const about = this.#noticesById.get(`${admd.hostname} ${id}`) ?? [];
    const seen = about.filter((notice) =>
      notice.recipients.some((one) => one.address === address && one.action === action),
    ).length;
    return seen + this.#unseenNotices(admd, id, address, action);
  }

  /** Notices that ended before they went anywhere, because nobody takes mail for the sender. */
  #unseenNotices(admd: Admd, id: string, address: string, action: string): number {
    return this.#ledgerOf(admd, id).filter(({ kind, facts }) => {
      const told = JSON.parse(facts) as Record<string, unknown>;
      if (kind !== 'notice' || told['about'] !== action || told['sent'] !== true) return false;
      const own = String(told['notice']);
      if (this.#notices.has(`${admd.hostname} ${own}`)) return false;
      const story = this.#ledgerOf(admd, own);
      const names = story.some((one) => one.kind === 'notice' && isAbout(one.facts, address));
      return names && story.some((one) => isEnd(one.kind));
    }).length;
  }

  #ledgerOf(admd: Admd, id: string): readonly KeptEntry[] {
    return this.#ledgerById.get(`${admd.hostname} ${id}`) ?? [];
  }

  #crashed(admd: Admd, from: number | undefined, until: number | undefined): boolean {
    return admd.crashes.some((at) => at >= (from ?? 0) && at <= (until ?? Infinity));
  }

  #readSent(): Sent[] {
    const byAddress = new Map(this.#facts.admds.map((admd) => [admd.machine.address, admd]));
    return this.#facts.pairs.flatMap((pair) => {
      const from = byAddress.get(pair.client.address);
      if (from === undefined) return [];
      const to = byAddress.get(pair.server.address);
      return transactionsOf(pair).map((transaction) => {
        const message = readMessage(transaction.content);
        const [last] = message.hops;
        const id = last?.host === from.hostname ? last.id : '';
        return { ...transaction, message, from, to, id };
      });
    });
  }

  /** Wherever one was seen: it is the same one when its writer gave it the same name. */
  #findNotices(): void {
    const queued = this.#facts.admds.flatMap((admd) =>
      this.#queueOf(admd).map((row) => readMessage(row.text)),
    );
    const seen = [...this.#copies, ...this.#sent].map(({ message }) => message).concat(queued);
    for (const message of seen) {
      const { notice, hops } = message;
      const admd = this.#facts.admds.find(({ hostname }) => hostname === notice?.host);
      const own = hops.at(-1);
      if (notice === undefined || admd === undefined || own === undefined) continue;
      const key = `${own.host} ${own.id}`;
      if (this.#notices.has(key)) continue;
      this.#notices.set(key, { admd, message });
      const about = `${notice.host} ${notice.about}`;
      const others = this.#noticesById.get(about);
      if (others === undefined) this.#noticesById.set(about, [notice]);
      else others.push(notice);
    }
  }
}

function isOk(code: number): boolean {
  return code >= 200 && code < 300;
}

/** A row ended without being sent. */
function isEnd(kind: string): boolean {
  return kind === 'bounced' || kind === 'expired';
}

/** Whether the entry of a notice names this recipient. */
function isAbout(facts: string, address: string): boolean {
  const { recipients } = JSON.parse(facts) as Record<string, unknown>;
  return Array.isArray(recipients) && recipients.includes(address);
}
