/** `postern config`: check, print and explain the configuration. */

import type { Command, Context } from '../command.ts';
import { answer } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import type { ExitStatus } from '../exit.ts';

export const config: Command = {
  name: 'config',
  summary: 'check, print and explain the configuration',
  commands: [
    {
      name: 'check',
      summary: 'tell everything that is wrong with the configuration',
      details:
        'Tell everything that is wrong with the configuration, without starting anything. ' +
        'The exit status is 78 when something is. With --audit, a scratch server with it is also ' +
        'attacked on loopback, as a start with a changed configuration does.',
      arguments: [{ name: 'file', summary: 'another file than the one in force', optional: true }],
      options: [{ flags: '--audit', summary: 'attack a scratch server with it, too' }],
      run: check,
    },
    {
      name: 'print',
      summary: 'print the settings in force as TOML',
      options: [{ flags: '--changed', summary: 'only those that stand in the file' }],
      run: print,
    },
    {
      name: 'explain',
      summary: 'say what a setting means; without name, list all',
      arguments: [{ name: 'name', summary: 'a setting', optional: true }],
      examples: ['postern config explain message_size_limit'],
      run: explain,
    },
    {
      name: 'import',
      summary: "take over a Postfix main.cf (or the output of `postconf -n`; '-' reads it)",
      details:
        'Tell line by line what is taken over, what has no counterpart and what was unsafe ' +
        'there. With --output, write postern.toml and a script that makes domains, accounts ' +
        'and aliases.',
      arguments: [{ name: 'file', summary: 'main.cf' }],
      options: [
        { flags: '--output <dir>', summary: 'write the files there; nothing is overwritten' },
        { flags: '--root <dir>', summary: 'look up tables below this directory' },
      ],
      examples: ['postconf -n | postern config import - --output /etc/postern'],
      run: importFile,
    },
    { name: 'docs', summary: 'print docs/configuration.md', run: docs },
  ],
};

async function check(context: Context): Promise<ExitStatus> {
  const file = context.given.get('file') ?? (await context.configurationFile());
  if (file === undefined) {
    const cure = 'Name one: `postern config check FILE`.';
    throw new CommandError(EXIT.configuration, 'there is no configuration file', cure);
  }
  const { checkConfiguration } = await import('../configuration/check.ts');
  return checkConfiguration(context, file);
}

async function print(context: Context): Promise<void> {
  const { printConfiguration } = await import('../configuration/print.ts');
  await printConfiguration(context);
}

async function explain(context: Context): Promise<void> {
  const { SETTINGS } = await import('../configuration/settings.ts');
  const { explainSetting } = await import('../configuration/document.ts');
  const { nearest } = await import('#base/nearest.ts');
  const name = context.given.get('name');
  if (name === undefined) {
    const all = [...SETTINGS].map(([key, { doc }]) => ({ name: key, doc }));
    answer(context, all, () => all.map((one) => `${one.name}\n    ${one.doc}\n`).join(''));
    return;
  }
  const setting = SETTINGS.get(name);
  if (setting === undefined) {
    const near = nearest(name, SETTINGS.keys());
    const cure =
      near === undefined ? 'See `postern config explain` for all names.' : `Did you mean ${near}?`;
    throw new CommandError(EXIT.data, `${name} is no setting`, cure);
  }
  const [doc, type, standard] = explainSetting(name, setting);
  answer(context, { name, doc, type: setting.type.name, unit: setting.unit ?? null }, () =>
    [name, `    ${doc}`, `    ${type}`, `    ${standard}`, ''].join('\n'),
  );
}

async function importFile(context: Context): Promise<void> {
  const { importConfiguration } = await import('../import/run.ts');
  await importConfiguration(context);
}

async function docs(context: Context): Promise<void> {
  const { configurationPage } = await import('../configuration/document.ts');
  context.io.write(configurationPage());
}
