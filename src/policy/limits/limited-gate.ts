/** A gate with limits before it: what one network or one account may do in a while. */

import { after } from '#base/awaitable.ts';
import type { Gate } from '../gate.ts';
import type { ClientFacts } from '../gate.ts';
import { RelayPermit } from '../relay.ts';
import { isLoopback } from '#base/ip.ts';
import type { Networks } from '../restrictions/networks.ts';
import type { Directory } from '#store/directory.ts';
import type { AccountLimits } from './account-limits.ts';
import type { ClientLimits } from './client-limits.ts';

export interface GateLimits {
  readonly clients: ClientLimits;
  readonly accounts: AccountLimits;
  /** How long a stranger waits for the greeting: who talks before it is noticed; 0: not at all. */
  readonly greetWaitMs: number;
}

/** What is said of a sender because he is, or is not, one of our users. */
const TELLING = new Set(['reject_sender_login_mismatch', 'reject_unlisted_sender']);

/** Who is no stranger, and whose users he could look for. */
export interface LimitedHouse {
  readonly mynetworks: Networks;
  readonly directory: Pick<Directory, 'domain'>;
}

/**
 * Networks are counted for strangers alone: not for loopback, mynetworks, and whoever logged in,
 * whose account is counted instead. Refusals are for now; what an account sends is held, and not
 * refused before a day's worth of that.
 */
export function limitedGate(
  gate: Gate,
  limits: GateLimits,
  { mynetworks, directory }: LimitedHouse,
): Gate {
  const { clients, accounts, greetWaitMs } = limits;
  const isStranger = ({ address, login }: ClientFacts): boolean =>
    login === undefined && !isLoopback(address) && !mynetworks.includes(address);
  return {
    connect: (client, inquiry) => {
      if (!isStranger(client)) return gate.connect(client, inquiry);
      const refused = clients.connection(client.address);
      if (refused !== undefined) return refused;
      const waited = clients.heldBack(greetWaitMs, undefined);
      return after(waited, () => gate.connect(client, inquiry));
    },
    helo: (client, inquiry) => gate.helo(client, inquiry),
    sender: (client, sender, inquiry) => {
      if (!isStranger(client)) return gate.sender(client, sender, inquiry);
      const { address } = client;
      const ours = sender !== null && directory.domain(sender.domain) !== undefined;
      const refused =
        clients.message(address) ??
        (ours ? clients.guessing('senders of ours', address) : undefined);
      if (refused !== undefined) return refused;
      return after(gate.sender(client, sender, inquiry), (told) => {
        if (told === undefined || !TELLING.has(told.rule)) return told;
        return clients.heldBack(clients.guessed('senders of ours', address), told);
      });
    },
    recipient: (client, sender, recipient, inquiry) => {
      if (!isStranger(client)) return gate.recipient(client, sender, recipient, inquiry);
      const refused = clients.recipient(client.address);
      if (refused !== undefined) return refused;
      return after(gate.recipient(client, sender, recipient, inquiry), (told) => {
        if (told instanceof RelayPermit || told.rule !== 'reject_unlisted_recipient') {
          return told;
        }
        const waitMs = clients.guessed('unknown recipients', client.address);
        return clients.heldBack(waitMs, told);
      });
    },
    content: (client, sender, recipients, inquiry) =>
      after(gate.content(client, sender, recipients, inquiry), (verdict) => {
        if (verdict?.kind === 'refuse' || client.login === undefined) return verdict;
        const held = accounts.sending(client.login, recipients);
        return held ?? verdict;
      }),
  };
}
