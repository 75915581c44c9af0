/** `postern account`: who has a mailbox here, and the password. */

import type { Command, Context } from '../command.ts';
import { answer, argument, withStore } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { columns, styled } from '../io.ts';
import type { NewPassword } from '../password.ts';
import { existingAccount, namedAddress, namedKey, noSuchDomain } from '../subjects.ts';

const ADDRESS = { name: 'address', summary: 'the mail address, which is the login too' };
const PASSWORD_OPTIONS = [
  { flags: '--generate', summary: 'make a random password and print it' },
  { flags: '--password-stdin', summary: 'read the password from standard input' },
];

export const account: Command = {
  name: 'account',
  summary: 'list, add and remove accounts, set passwords',
  commands: [
    { name: 'list', summary: 'list the accounts', run: list },
    {
      name: 'add',
      summary: 'add an account',
      arguments: [ADDRESS],
      options: PASSWORD_OPTIONS,
      examples: [
        'postern account add alice@example.org --generate',
        'pass show mail/alice | postern account add alice@example.org --password-stdin',
      ],
      run: add,
    },
    {
      name: 'password',
      summary: 'set the password of an account',
      arguments: [ADDRESS],
      options: PASSWORD_OPTIONS,
      run: password,
    },
    { name: 'enable', summary: 'let the account log in again', arguments: [ADDRESS], run: enable },
    {
      name: 'disable',
      summary: 'refuse its logins; mail still arrives',
      arguments: [ADDRESS],
      run: disable,
    },
    {
      name: 'remove',
      summary: 'remove an account and all its mail',
      arguments: [ADDRESS],
      options: [{ flags: '--yes', summary: 'really: the mail cannot be brought back' }],
      run: remove,
    },
  ],
};

async function list(context: Context): Promise<void> {
  await withStore(context, async ({ directory }) => {
    const accounts = directory.accounts();
    answer(
      context,
      accounts.map(({ address, enabled, createdMs }) => ({
        address,
        enabled,
        created: new Date(createdMs).toISOString(),
      })),
      () => columns(accounts.map(({ address, enabled }) => [address, enabled ? '' : 'disabled'])),
    );
  });
}

async function add(context: Context): Promise<void> {
  const address = namedAddress(argument(context, 'address'));
  const key = namedKey(argument(context, 'address'));
  await withStore(context, async (store) => {
    // Before the question for a password: nobody types one in vain.
    if (store.directory.domain(address.domain) === undefined) {
      throw noSuchDomain(store.directory, address.domain);
    }
    if (store.directory.account(key) !== undefined) throw taken(key);
    const chosen = await newPassword(context);
    const { result } = await store.write('addAccount', {
      address: key,
      credentials: chosen.credentials,
      nowMs: context.now(),
    });
    if (result.kind === 'exists') throw taken(key);
    if (result.kind === 'no-such-domain') throw noSuchDomain(store.directory, address.domain);
    tell(context, 'added', key, chosen);
  });
}

async function password(context: Context): Promise<void> {
  await withStore(context, async (store) => {
    const { id, address } = existingAccount(store.directory, argument(context, 'address'));
    const chosen = await newPassword(context);
    const { result } = await store.write('setCredentials', {
      account: id,
      credentials: chosen.credentials,
    });
    if (result.kind === 'no-such-account') throw gone(address);
    tell(context, 'password set', address, chosen);
  });
}

function enable(context: Context): Promise<void> {
  return setEnabled(context, true);
}

function disable(context: Context): Promise<void> {
  return setEnabled(context, false);
}

async function setEnabled(context: Context, enabled: boolean): Promise<void> {
  await withStore(context, async (store) => {
    const { id, address } = existingAccount(store.directory, argument(context, 'address'));
    const { result } = await store.write('setAccountEnabled', { account: id, enabled });
    if (result.kind === 'no-such-account') throw gone(address);
    answer(context, { address, enabled }, () =>
      enabled ? `${address} may log in\n` : `${address} may not log in; mail still arrives\n`,
    );
  });
}

async function remove(context: Context): Promise<void> {
  await withStore(context, async (store) => {
    const { id, address } = existingAccount(store.directory, argument(context, 'address'));
    if (!context.options.has('yes')) {
      const cause = `removing ${address} removes all its mail for good`;
      throw new CommandError(EXIT.usage, cause, 'Say --yes, or use `postern account disable`.');
    }
    const { result } = await store.write('removeAccount', { account: id });
    if (result.kind === 'no-such-account') throw gone(address);
    if (result.kind === 'in-use') {
      const cause = `${address} is still used by ${result.by}`;
      throw new CommandError(EXIT.data, cause, 'Change that first.');
    }
    answer(context, { removed: address }, () => `removed ${address} and its mail\n`);
  });
}

async function newPassword(context: Context): Promise<NewPassword> {
  const { choosePassword } = await import('../password.ts');
  return choosePassword(context);
}

/** A generated password is printed: nobody could know it otherwise. */
function tell(context: Context, what: string, address: string, chosen: NewPassword): void {
  const shown = chosen.generated?.reveal();
  const value = { address, ...(shown === undefined ? {} : { password: shown }) };
  answer(context, value, () => {
    const line = `${what}: ${address}\n`;
    return shown === undefined ? line : `${line}password: ${styled(context.io, 'bold', shown)}\n`;
  });
}

function taken(key: string): CommandError {
  const cure = `To change its password: \`postern account password ${key}\`.`;
  return new CommandError(EXIT.cannotCreate, `${key} exists already`, cure);
}

function gone(address: string): CommandError {
  return new CommandError(EXIT.noUser, `${address} was removed meanwhile`);
}
