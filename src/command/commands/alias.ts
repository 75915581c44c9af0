/** `postern alias`: addresses that lead to others. */

import { formatAddress } from '#base/address.ts';
import type { Command, Context } from '../command.ts';
import { answer, argument, withStore } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { columns } from '../io.ts';
import { namedAddress, namedKey, noSuchDomain, warnOfNobody } from '../subjects.ts';

const ADDRESS = { name: 'address', summary: 'the address that leads elsewhere' };
const TARGETS = 100;

export const alias: Command = {
  name: 'alias',
  summary: 'list, set and remove addresses that lead to others',
  commands: [
    { name: 'list', summary: 'list the aliases', run: list },
    {
      name: 'add',
      summary: 'lead an address to others',
      arguments: [ADDRESS, { name: 'targets', summary: 'one address or more', many: true }],
      examples: ['postern alias add info@example.org alice@example.org bob@example.org'],
      run: add,
    },
    { name: 'remove', summary: 'remove an alias', arguments: [ADDRESS], run: remove },
  ],
};

async function list(context: Context): Promise<void> {
  await withStore(context, async ({ directory }) => {
    const aliases = directory.aliases();
    answer(context, aliases, () =>
      columns(aliases.map(({ address, targets }) => [address, '->', targets.join(', ')])),
    );
  });
}

async function add(context: Context): Promise<void> {
  const address = namedAddress(argument(context, 'address'));
  const key = namedKey(argument(context, 'address'));
  const targets = [...new Set(context.rest.map((text) => formatAddress(namedAddress(text))))];
  if (targets.length > TARGETS) {
    throw new CommandError(EXIT.data, `an alias leads to at most ${TARGETS} addresses`);
  }
  await withStore(context, async (store) => {
    const before = store.directory.alias(key)?.targets;
    const { result } = await store.write('setAlias', { address: key, targets });
    if (result.kind === 'no-such-domain') throw noSuchDomain(store.directory, address.domain);
    if (result.kind === 'exists') {
      const cure = 'Remove the account first, or choose another address.';
      throw new CommandError(EXIT.cannotCreate, `${key} is an account`, cure);
    }
    warnOfNobody(context.io, store.directory, context.rest.map(namedKey));
    const instead = before === undefined ? '' : ` instead of ${before.join(', ')}`;
    const told = `${key} -> ${targets.join(', ')}${instead}\n`;
    answer(context, { address: key, targets, before: before ?? null }, () => told);
  });
}

async function remove(context: Context): Promise<void> {
  const key = namedKey(argument(context, 'address'));
  await withStore(context, async (store) => {
    const { result } = await store.write('removeAlias', { address: key });
    if (result.kind === 'no-such-alias') {
      const cause = `there is no alias ${key}`;
      throw new CommandError(EXIT.noUser, cause, 'See `postern alias list`.');
    }
    answer(context, { removed: key }, () => `removed ${key}\n`);
  });
}
