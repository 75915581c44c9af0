/** The words about settings: docs/configuration.md and `postern config explain` say the same. */

import type { Derived, Raw, Setting } from './declare.ts';
import { isDerived } from './declare.ts';
import { GROUPS } from './settings.ts';
import { formatRaw } from './toml.ts';

/** A setting in words, one fact a line. */
export function explainSetting(name: string, setting: Setting<unknown>): readonly string[] {
  const unit = setting.unit === undefined ? '' : `, in ${setting.unit}`;
  return [
    setting.doc,
    `Type: ${setting.type.name}${unit}: ${setting.type.form}.`,
    `Default: ${formatDefault(name, setting.default)}`,
  ];
}

/** docs/configuration.md. */
export function configurationPage(): string {
  const parts = [INTRODUCTION];
  for (const group of GROUPS) {
    parts.push(`## ${group.title}\n\n${group.doc}\n`);
    for (const [name, setting] of Object.entries<Setting<unknown>>(group.settings)) {
      const [doc, type, standard] = explainSetting(name, setting);
      parts.push(`### \`${name}\`\n\n${doc}\n\n- ${type}\n- ${standard}\n`);
    }
  }
  return parts.join('\n');
}

function formatDefault(name: string, value: Raw | Derived): string {
  return isDerived(value) ? `${value.words}.` : `\`${name} = ${formatRaw(value)}\``;
}

const INTRODUCTION = `# Configuration

<!-- Generated from src/command/configuration/settings/ by \`postern config docs\`. -->

One TOML file: \`--config FILE\`, else the file that POSTERN_CONFIG names, else
\`/etc/postern/postern.toml\`. Without any, \`postern serve\` starts in demo mode.
Every setting has a default, so a file says only what differs. Names and values that are
wrong are refused, all at once, each with its line; \`postern config check\` tells them without
starting anything. \`postern config print\` shows what is in force, \`postern config explain NAME\`
says what stands here. Relative paths are taken from the directory of the file.
Domains, accounts and aliases are not settings: \`postern domain\`, \`account\` and \`alias\` keep
them in the store, and the running server sees changes at once.
`;
