/** The gate of one listener: restriction lists first, then RelayPermit, which they cannot widen. */

import type { Address, ReversePath } from '#base/address.ts';
import { formatAddress } from '#base/address.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { Directory } from '#store/directory.ts';
import type { AddressOptions } from '../addresses/options.ts';
import type { Check, CheckFacts, Verdict } from '../checks/check.ts';
import { DUNNO } from '../checks/check.ts';
import { rejectUnlistedRecipient } from '../checks/index.ts';
import type { ClientFacts, Gate, Refusal } from '../gate.ts';
import { RelayPermit } from '../relay.ts';
import type { Networks } from './networks.ts';

export interface GateOptions {
  readonly directory: Directory;
  readonly addresses: Partial<AddressOptions>;
  readonly mynetworks: Networks;
  readonly heloRestrictions: readonly Check[];
  readonly senderRestrictions: readonly Check[];
  readonly recipientRestrictions: readonly Check[];
}

/**
 * The helo and sender lists are judged at MAIL, the recipient list at RCPT: so each list knows
 * whether the client logged in, and `permit_sasl_authenticated` means the same in all three.
 * A permit ends its own list only. Whatever the lists say, a recipient then needs a RelayPermit
 * and, in a domain of ours, a mailbox.
 */
export function makeGate(options: GateOptions): Gate {
  const { directory, addresses, mynetworks } = options;
  const factsOf = (
    client: ClientFacts,
    sender: ReversePath,
    recipient: Address | undefined,
  ): CheckFacts => {
    const inMynetworks = mynetworks.includes(client.address);
    return { client, inMynetworks, sender, recipient, directory, addresses };
  };
  return {
    helo: () => undefined,
    sender: (client, sender) => {
      const facts = factsOf(client, sender, undefined);
      return (
        refusal(judgeList(options.heloRestrictions, facts)) ??
        refusal(judgeList(options.senderRestrictions, facts))
      );
    },
    recipient: (client, sender, recipient) => {
      const facts = factsOf(client, sender, recipient);
      const listed = refusal(judgeList(options.recipientRestrictions, facts));
      if (listed !== undefined) return listed;
      const permit = RelayPermit.decide({
        recipient,
        directory,
        login: client.login,
        clientInMynetworks: facts.inMynetworks,
        isOwnLiteral: ({ domain }) => addresses.isOwnLiteral?.(domain) ?? false,
      });
      if (permit === undefined) return relayDenied(facts, recipient);
      return refusal(rejectUnlistedRecipient.judge(facts)) ?? permit;
    },
  };
}

/** The first verdict of a list, or dunno. */
export function judgeList(checks: readonly Check[], facts: CheckFacts): Verdict {
  for (const check of checks) {
    const verdict = check.judge(facts);
    if (verdict.kind !== 'dunno') return verdict;
  }
  return DUNNO;
}

function refusal(verdict: Verdict): Refusal | undefined {
  return verdict.kind === 'reject' || verdict.kind === 'defer' ? verdict : undefined;
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
