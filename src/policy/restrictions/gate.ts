/** The gate of one listener: restriction lists first, then RelayPermit, which they cannot widen. */

import type { Address, ReversePath } from '#base/address.ts';
import { formatAddress } from '#base/address.ts';
import { after } from '#base/awaitable.ts';
import type { Awaitable } from '#base/brand.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { Directory } from '#store/directory.ts';
import type { Questions } from '#trust/questions.ts';
import type { AddressOptions } from '../addresses/options.ts';
import type { Check, CheckFacts, Verdict } from '../checks/check.ts';
import { DUNNO } from '../checks/check.ts';
import { judgeUnlisted } from '../checks/reject-unlisted-recipient.ts';
import type { ClientFacts, ContentVerdict, Gate, Refusal } from '../gate.ts';
import type { Inquiry } from '../inquiry.ts';
import { RelayPermit } from '../relay.ts';
import type { Networks } from './networks.ts';

export interface GateOptions {
  readonly directory: Directory;
  readonly addresses: Partial<AddressOptions>;
  readonly mynetworks: Networks;
  readonly clientRestrictions?: readonly Check[];
  readonly heloRestrictions: readonly Check[];
  readonly senderRestrictions: readonly Check[];
  readonly recipientRestrictions: readonly Check[];
  readonly dataRestrictions?: readonly Check[];
}

/**
 * The client, helo and sender lists are judged at MAIL, the recipient list at RCPT, the data list
 * when the content is there: so each knows whether the client logged in, and
 * `permit_sasl_authenticated` means the same in all of them. A permit ends its own list only.
 * Whatever the lists say, a recipient then needs a RelayPermit and, in a domain of ours, a mailbox.
 */
export function makeGate(options: GateOptions): Gate {
  const { directory, addresses, mynetworks } = options;
  const early = [
    options.clientRestrictions ?? [],
    options.heloRestrictions,
    options.senderRestrictions,
  ].filter(({ length }) => length > 0);
  const factsOf = (about: About): CheckFacts => {
    const { client } = about;
    const inMynetworks = mynetworks.includes(client.address);
    return new Facts(about, inMynetworks, options);
  };
  const decide = (facts: CheckFacts, recipient: Address): Refusal | RelayPermit => {
    const permit = RelayPermit.decide({
      recipient,
      directory,
      login: facts.client.login,
      clientInMynetworks: facts.inMynetworks,
      isOwnLiteral: ({ domain }) => addresses.isOwnLiteral?.(domain) ?? false,
    });
    if (permit === undefined) return relayDenied(facts, recipient);
    return refusal(judgeUnlisted(facts)) ?? permit;
  };
  return {
    connect: () => undefined,
    helo: () => undefined,
    sender: (client, sender, inquiry) => judgeLists(early, factsOf({ client, sender, inquiry })),
    recipient: (client, sender, recipient, inquiry) => {
      const facts = factsOf({ client, sender, recipient, inquiry });
      return after(
        judgeList(options.recipientRestrictions, facts),
        (verdict) => refusal(verdict) ?? decide(facts, recipient),
      );
    },
    content: (client, sender, recipients, inquiry) => {
      const recipient = recipients.length === 1 ? recipients[0] : undefined;
      const facts = factsOf({ client, sender, recipient, recipients, inquiry });
      return after(judgeList(options.dataRestrictions ?? [], facts), (verdict) =>
        contentVerdict(verdict, inquiry),
      );
    },
  };
}

/** The first verdict of a list that decides, or dunno; a quarantine is noted on the way. */
export function judgeList(
  checks: readonly Check[],
  facts: CheckFacts,
  from = 0,
): Awaitable<Verdict> {
  for (let at = from; at < checks.length; at += 1) {
    const verdict = checks[at]?.judge(facts) ?? DUNNO;
    if (verdict instanceof Promise) {
      return verdict.then((told) =>
        decides(told, facts) ? told : judgeList(checks, facts, at + 1),
      );
    }
    if (decides(verdict, facts)) return verdict;
  }
  return DUNNO;
}

/** Each list in turn; a permit ends its own list alone. */
function judgeLists(
  lists: readonly (readonly Check[])[],
  facts: CheckFacts,
  from = 0,
): Awaitable<Refusal | undefined> {
  const list = lists[from];
  if (list === undefined) return undefined;
  return after(
    judgeList(list, facts),
    (verdict) => refusal(verdict) ?? judgeLists(lists, facts, from + 1),
  );
}

function decides(verdict: Verdict, { inquiry }: CheckFacts): boolean {
  if (verdict.kind !== 'quarantine') return verdict.kind !== 'dunno';
  inquiry.note(verdict);
  return false;
}

function refusal(verdict: Verdict): Refusal | undefined {
  return verdict.kind === 'reject' || verdict.kind === 'defer' ? verdict : undefined;
}

/** A refusal; else the first remark of the whole transaction that says where the mail goes. */
function contentVerdict(verdict: Verdict, inquiry: Inquiry): ContentVerdict | undefined {
  const refused = refusal(verdict);
  if (refused !== undefined) return { ...refused, kind: 'refuse' };
  for (const { kind, rule, why } of inquiry.notes) {
    if (kind !== 'warning') return { kind, rule, why };
  }
  return undefined;
}

function relayDenied(facts: CheckFacts, recipient: Address): Refusal {
  const { address } = facts.client;
  return {
    rule: 'relay',
    reply: reply(554, '5.7.1', 'Relay access denied'),
    why:
      `${formatAddress(recipient)} is in no domain of this server, and the client ${address} ` +
      'is neither logged in nor in mynetworks',
  };
}

interface About {
  readonly client: ClientFacts;
  readonly sender: ReversePath;
  readonly recipient?: Address | undefined;
  readonly recipients?: readonly Address[];
  readonly inquiry: Inquiry;
}

/** One command's facts; nobody is asked before the first check wants an answer. */
class Facts implements CheckFacts {
  readonly client: ClientFacts;
  readonly inMynetworks: boolean;
  readonly sender: ReversePath;
  readonly recipient: Address | undefined;
  readonly recipients: readonly Address[];
  readonly directory: Directory;
  readonly addresses: Partial<AddressOptions>;
  readonly inquiry: Inquiry;
  #questions: Questions | undefined;

  constructor(
    about: About,
    inMynetworks: boolean,
    { directory, addresses }: Pick<GateOptions, 'directory' | 'addresses'>,
  ) {
    this.client = about.client;
    this.inMynetworks = inMynetworks;
    this.sender = about.sender;
    this.recipient = about.recipient;
    this.recipients = about.recipients ?? [];
    this.directory = directory;
    this.addresses = addresses;
    this.inquiry = about.inquiry;
  }

  get questions(): Questions {
    return (this.#questions ??= this.inquiry.questions());
  }
}
