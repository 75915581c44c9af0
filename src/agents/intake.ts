/** The one door in: recipients resolved, the MDA run for local ones, one commit, then Durable. */

import { type Address, addressKey, formatAddress, formatPath } from '#base/address.ts';
import type { AccountId, QueueId } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import { type Work, atOnce, inTurns } from '#base/turns.ts';
import type { Clock, Random } from '#base/world.ts';
import type { Target } from '#policy/addresses/resolve.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Acceptance, Delivery, NewRecipient } from '#store/operations.ts';
import type { Store } from '#store/store.ts';
import type { Intake, NewMail, NewMailRecipient } from './mail.ts';
import { deliver, describe } from './mda.ts';

export interface IntakeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Where an address leads: mailboxes here, addresses elsewhere, or nowhere. */
  readonly resolve: (address: Address) => readonly Target[];
  /** How long mail for elsewhere is tried. */
  readonly lifetimeMs: number;
  /** The same for mail from `<>`. */
  readonly noticeLifetimeMs: number;
  /** Demo: mail for elsewhere lands in this account's mailbox instead of leaving. */
  readonly trap: { readonly address: string; readonly mailbox: string } | undefined;
  /** A notice could not be written although its message was. */
  readonly noticeFailed: (thrown: unknown) => void;
  /** The notice of a successful local delivery (RFC 3461 5.2.4), for those who asked. */
  readonly successNotice: (mail: NewMail, to: readonly NewMailRecipient[]) => NewMail | undefined;
}

/** Where each recipient of a mail goes, and what is said of it. */
interface Plan {
  readonly boxes: Map<string, { account: AccountId; mailbox: string; address: string }>;
  readonly remote: Map<string, NewRecipient>;
  readonly local: NewMailRecipient[];
  readonly outcome: JsonObject[];
}

/** So few recipients that nobody has to look at the clock between them. */
const FEW = 16;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 9;
const CHANCE_OCTETS = 7;

/** Makes the door; it keeps nothing itself. */
export function makeIntake(options: IntakeOptions): Intake {
  const { store, clock, random } = options;
  const intake: Intake = {
    newId: () => newQueueId(clock.now(), random.bytes(CHANCE_OCTETS)),
    prepare: (mail) => atOnce(prepare(mail, options)).acceptance,
    async accept(mail) {
      const prepared = inTurns(clock, prepare(mail, options));
      // Most are ready at once, and share the transaction of all that came in this turn.
      const { acceptance, plan } = prepared instanceof Promise ? await prepared : prepared;
      const written = store.write('accept', { acceptance });
      const notice = options.successNotice(mail, plan.local);
      // Asked for in the same turn, so it shares the transaction of the message it speaks of. Were
      // its failure an error of the message, the client would send that a second time.
      if (notice !== undefined) intake.accept(notice).catch(options.noticeFailed);
      return written;
    },
  };
  return intake;
}

/** Time first, so that ids sort; then enough chance that nobody guesses the next. */
function newQueueId(nowMs: number, chance: Uint8Array): QueueId {
  let id = '';
  for (let rest = nowMs, n = 0; n < TIME_CHARACTERS; n += 1, rest = Math.floor(rest / 32)) {
    id = (ALPHABET[rest % 32] ?? '') + id;
  }
  for (const octet of chance) id += ALPHABET[octet % 32] ?? '';
  return id as QueueId;
}

interface Prepared {
  readonly acceptance: Acceptance;
  readonly plan: Plan;
}

function* prepare(mail: NewMail, options: IntakeOptions): Work<Prepared> {
  const atMs = options.clock.now();
  const plan: Plan = { boxes: new Map(), remote: new Map(), local: [], outcome: [] };
  for (const recipient of mail.recipients) {
    for (const target of options.resolve(recipient.address)) {
      place(target, recipient, mail, atMs, options, plan);
    }
    if (mail.recipients.length > FEW) yield;
  }
  const deliveries: Delivery[] = [];
  if (plan.boxes.size > 0) {
    const described = yield* describe(mail);
    for (const box of plan.boxes.values()) {
      deliveries.push(deliver(described, box, mail.reversePath, atMs));
      if (plan.boxes.size > 1) yield;
    }
  }
  const relay =
    plan.remote.size === 0
      ? undefined
      : {
          envelope: {
            ...mail.envelope,
            reversePath: mail.reversePath === null ? '' : formatAddress(mail.reversePath),
          },
          content: mail.passedOn ?? mail.content,
          submitter: mail.submitter,
          recipients: [...plan.remote.values()],
        };
  const ledger = [entryFor(mail, plan, atMs)];
  return { acceptance: { id: mail.id, atMs, deliveries, relay, ledger }, plan };
}

function place(
  target: Target,
  recipient: NewMailRecipient,
  mail: NewMail,
  atMs: number,
  options: IntakeOptions,
  plan: Plan,
): void {
  const address = formatAddress(recipient.address);
  const outcome = { recipient: address, permit: recipient.permit.reason };
  if (target.kind === 'local') {
    const { id, address: account } = target.account;
    const mailbox = mail.diversion?.kind === 'quarantine' ? 'Junk' : 'INBOX';
    plan.boxes.set(`${id}`, { account: id, mailbox, address });
    plan.local.push(recipient);
    plan.outcome.push({ ...outcome, delivered: account, mailbox });
    return;
  }
  if (target.kind !== 'remote') {
    // Known at RCPT and gone since: the client shall ask again and hear the truth.
    throw Failure.temporary('recipient-vanished', `${address} cannot be resolved any more`);
  }
  const trap = trapFor(options);
  if (trap !== undefined) {
    plan.boxes.set(`${trap.account}/${trap.mailbox}`, { ...trap, address });
    plan.outcome.push({ ...outcome, trapped: trap.mailbox });
    return;
  }
  const remote = formatAddress(target.address);
  const lifetimeMs = mail.reversePath === null ? options.noticeLifetimeMs : options.lifetimeMs;
  plan.remote.set(remote, {
    address: remote,
    domain: target.address.domain,
    notify: recipient.notify,
    originalRecipient: recipient.originalRecipient,
    nextMs: atMs,
    expiresMs: atMs + lifetimeMs,
    ...(mail.diversion?.kind === 'hold' ? { held: mail.diversion.why } : {}),
  });
  plan.outcome.push({ ...outcome, queued: remote });
}

function trapFor(options: IntakeOptions): { account: AccountId; mailbox: string } | undefined {
  if (options.trap === undefined) return undefined;
  const account = options.store.directory.account(options.trap.address);
  if (account === undefined) throw Failure.temporary('no-trap', 'the trap account is missing');
  return { account: account.id, mailbox: options.trap.mailbox };
}

function isFirst(key: string, at: number, keys: readonly string[]): boolean {
  return keys.indexOf(key) === at;
}

function entryFor(mail: NewMail, plan: Plan, atMs: number): LedgerEntry {
  const keys = mail.recipients.map(({ address }) => addressKey(address));
  if (mail.reversePath !== null) keys.push(addressKey(mail.reversePath));
  if (mail.submitter !== undefined) keys.push(mail.submitter);
  if (mail.messageId !== undefined) keys.push(mail.messageId);
  return {
    atMs,
    kind: mail.origin === 'notice' ? 'notice' : 'accepted',
    session: mail.session,
    queueId: mail.id,
    keys: keys.length > FEW ? [...new Set(keys)].slice(0, 1_000) : keys.filter(isFirst),
    facts: {
      origin: mail.origin,
      sender: formatPath(mail.reversePath),
      messageId: mail.messageId,
      ...(mail.diversion === undefined ? {} : { diversion: { ...mail.diversion } }),
      ...mail.facts,
      outcome: plan.outcome.slice(0, 100),
    },
  };
}
