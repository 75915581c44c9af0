/** The demo's accounts: made at the first start with random passwords, kept afterwards. */

import type { Random } from '#base/world.ts';
import { Secret } from '#base/secret.ts';
import type { Store } from '#store/store.ts';
import { hashPassword } from '#policy/login/password.ts';
import { generatePassword } from '../password.ts';
import { DEMO_ACCOUNTS, DEMO_DOMAIN, TRAP_ACCOUNT } from './demo.ts';

/** An account of the demo; the password is known at the start that made it, never again. */
export interface DemoAccount {
  readonly address: string;
  readonly password: Secret<string> | undefined;
}

/** Makes what is missing; an account that the user removed stays removed. */
export async function demoAccounts(
  store: Store,
  random: Random,
  nowMs: number,
): Promise<readonly DemoAccount[]> {
  const wanted = [...DEMO_ACCOUNTS, TRAP_ACCOUNT];
  const fresh = store.directory.domain(DEMO_DOMAIN) === undefined;
  if (fresh) await store.write('addDomain', { name: DEMO_DOMAIN });
  // A first start that was cut off between the domain and its accounts goes on here.
  const empty = store.directory.accounts().length === 0;
  return Promise.all(
    wanted.map(async (address) => {
      if (!fresh && !empty) return { address, password: undefined };
      const password = generatePassword(random);
      const credentials = await hashPassword(password, random);
      const { result } = await store.write('addAccount', { address, credentials, nowMs });
      const made = result.kind === 'added';
      return { address, password: made ? new Secret(password) : undefined };
    }),
  );
}

/** Those that exist: a second start shows what is there. */
export function existing(store: Store, accounts: readonly DemoAccount[]): readonly DemoAccount[] {
  return accounts.filter(({ address }) => store.directory.account(address) !== undefined);
}
