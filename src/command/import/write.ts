/** What an import leaves on disk: the configuration, and the commands that bring the people. */

import type { Imported } from './imported.ts';
import { formatSettings } from './postfix.ts';

/** postern.toml: the settings that were taken over, and nothing that says the default. */
export function configurationText(imported: Imported, source: string): string {
  return [
    `# Taken over from ${oneLine(source)} by \`postern config import\`.`,
    '# `postern config explain NAME` says what each setting means.',
    '',
    formatSettings(imported.settings),
  ].join('\n');
}

/**
 * A shell script that makes the domains, accounts (each with a new password, which it prints),
 * aliases and catch-alls. Run again, it changes nothing that is there already.
 */
export function peopleScript({ people }: Imported, configuration: string): string {
  const lines = [
    '#!/bin/sh',
    '# Made by `postern config import`: read it, change it, run it once.',
    '# Passwords do not come along: each account gets a new one, printed here.',
    `export POSTERN_CONFIG=${quote(configuration)}`,
    '',
  ];
  for (const domain of people.domains) lines.push(`postern domain add ${quote(domain)}`);
  for (const address of people.accounts) {
    lines.push(`postern account add ${quote(address)} --generate`);
  }
  for (const [address, targets] of people.aliases) {
    lines.push(`postern alias add ${quote(address)} ${targets.map(quote).join(' ')}`);
  }
  for (const [domain, address] of people.catchAlls) {
    lines.push(`postern domain catch-all ${quote(domain)} ${quote(address)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** For a POSIX shell: nothing within single quotes means anything. */
function quote(text: string): string {
  return /^[A-Za-z0-9@%_+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, '?');
}
