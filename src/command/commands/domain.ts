/** `postern domain`: the domains whose mail is kept here. */

import type { Command, Context } from '../command.ts';
import { answer, argument, withStore } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { columns } from '../io.ts';
import { namedDomain, namedKey, noSuchDomain, warnOfNobody } from '../subjects.ts';

const NAME = { name: 'domain', summary: 'a domain name, such as example.org' };

export const domain: Command = {
  name: 'domain',
  summary: 'list, add and remove local domains, set their catch-all',
  commands: [
    { name: 'list', summary: 'list the local domains', run: list },
    { name: 'add', summary: 'take mail for a domain', arguments: [NAME], run: add },
    { name: 'remove', summary: 'take no more mail for it', arguments: [NAME], run: remove },
    {
      name: 'catch-all',
      summary: 'set where mail for unknown addresses of a domain goes',
      details: 'Set where mail for unknown addresses of a domain goes; without address: refused.',
      arguments: [NAME, { name: 'address', summary: 'who gets it', optional: true }],
      run: catchAll,
    },
  ],
};

async function list(context: Context): Promise<void> {
  await withStore(context, async ({ directory }) => {
    const domains = directory.domains();
    answer(
      context,
      domains.map(({ name, catchAll }) => ({ name, catchAll: catchAll ?? null })),
      () =>
        columns(
          domains.map(({ name, catchAll }) =>
            catchAll === undefined ? [name] : [name, `catch-all ${catchAll}`],
          ),
        ),
    );
  });
}

async function add(context: Context): Promise<void> {
  const name = namedDomain(argument(context, 'domain'));
  await withStore(context, async (store) => {
    const { result } = await store.write('addDomain', { name });
    if (result.kind === 'exists') {
      throw new CommandError(EXIT.cannotCreate, `${name} is a local domain already`);
    }
    answer(context, { added: name }, () => `added ${name}\n`);
  });
}

async function remove(context: Context): Promise<void> {
  const name = namedDomain(argument(context, 'domain'));
  await withStore(context, async (store) => {
    const { result } = await store.write('removeDomain', { name });
    if (result.kind === 'no-such-domain') throw noSuchDomain(store.directory, name);
    if (result.kind === 'in-use') {
      const cause = `${name} is still used by ${result.by}`;
      throw new CommandError(EXIT.data, cause, 'Remove that first.');
    }
    answer(context, { removed: name }, () => `removed ${name}\n`);
  });
}

async function catchAll(context: Context): Promise<void> {
  const name = namedDomain(argument(context, 'domain'));
  const target = context.given.get('address');
  const address = target === undefined ? undefined : namedKey(target);
  await withStore(context, async (store) => {
    const { result } = await store.write('setCatchAll', { name, address });
    if (result.kind === 'no-such-domain') throw noSuchDomain(store.directory, name);
    warnOfNobody(context.io, store.directory, address === undefined ? [] : [address]);
    answer(context, { domain: name, catchAll: address ?? null }, () =>
      address === undefined
        ? `${name}: mail for unknown addresses is refused\n`
        : `${name}: mail for unknown addresses goes to ${address}\n`,
    );
  });
}
