/** The limits of policy as the settings say them: one count for all listeners. */

import type { World } from '#base/world.ts';
import { AccountLimits } from '#policy/limits/account-limits.ts';
import { ClientLimits } from '#policy/limits/client-limits.ts';
import { Greylist } from '#policy/limits/greylist.ts';
import type { GateLimits } from '#policy/limits/limited-gate.ts';
import type { Memory } from '#policy/limits/memory.ts';
import type { Store } from '#store/store.ts';
import type { Settings } from '../configuration/settings.ts';
import { openMemories } from './memories.ts';

export interface Guards {
  readonly limits: GateLimits;
  readonly greylist: Greylist;
  readonly written: Memory;
  readonly open: Memory;
  stop(): Promise<void>;
}

/** Reads what was remembered; nothing is counted yet. */
export async function openGuards(
  settings: Settings,
  store: Store,
  { clock, log }: World,
): Promise<Guards> {
  const memories = await openMemories(store, { clock, log }, settings.greylist_lifetime);
  return {
    limits: {
      clients: new ClientLimits(clock, {
        connectionsPerMinute: settings.smtpd_client_connection_rate_limit,
        messagesPerMinute: settings.smtpd_client_message_rate_limit,
        recipientsPerMinute: settings.smtpd_client_recipient_rate_limit,
        unknownPerHour: settings.smtpd_client_unknown_limit,
        tarpitMs: settings.smtpd_tarpit_time,
      }),
      accounts: new AccountLimits(
        clock,
        {
          messagesPerHour: settings.account_message_limit,
          recipientsPerHour: settings.account_recipient_limit,
          newRecipientsPerDay: settings.account_new_recipient_limit,
          heldPerDay: settings.account_held_limit,
        },
        memories.written,
      ),
      greetWaitMs: settings.smtpd_greet_wait,
    },
    greylist: new Greylist({
      clock,
      memory: memories.greylist,
      delayMs: settings.greylist_delay,
      retryMs: settings.greylist_retry_window,
      networkPasses: settings.greylist_network_passes,
    }),
    written: memories.written,
    open: memories.open,
    stop: () => memories.stop(),
  };
}
