/** Finds and reads the configuration file; what is wrong becomes an error with every line of it. */

import { readFileSync } from 'node:fs';
import { hostname, homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { CommandError, EXIT, unreadable } from '../exit.ts';
import type { Io } from '../io.ts';
import type { DefaultFacts, Raw } from './declare.ts';
import { defaultGateways } from './gateways.ts';
import { defaultOf, formatProblem, readConfiguration } from './read.ts';
import type { Problem } from './read.ts';
import type { Settings } from './settings.ts';
import { SETTINGS } from './settings.ts';

/** A configuration that is in force. */
export interface Loaded {
  readonly file: string;
  readonly settings: Settings;
  /** The names that stand in the file. */
  readonly given: ReadonlySet<string>;
}

export const DEFAULT_FILE = '/etc/postern/postern.toml';

/** The file to use: `--config`, else POSTERN_CONFIG, else the default one if it is there. */
export function configurationFile(
  option: string | undefined,
  env: Io['env'],
  exists: (file: string) => boolean,
): string | undefined {
  if (option !== undefined) return option;
  const named = env['POSTERN_CONFIG'];
  if (named !== undefined && named !== '') return named;
  return exists(DEFAULT_FILE) ? DEFAULT_FILE : undefined;
}

/** Reads a file; a CommandError with all its problems, one a line, when it is not right. */
export function loadConfiguration(file: string, env: Io['env']): Loaded {
  const outcome = inspectConfiguration(file, env);
  if (outcome.kind === 'good') return outcome.loaded;
  const lines = outcome.problems.map((problem) => formatProblem(file, problem));
  throw new CommandError(EXIT.configuration, lines.join('\n'));
}

/** Reads a file and tells what is wrong as data; throws only when it cannot be read. */
export function inspectConfiguration(
  file: string,
  env: Io['env'],
):
  | { readonly kind: 'good'; readonly loaded: Loaded }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] } {
  const result = readConfiguration(readText(file), machineFacts(env));
  if (result.kind === 'bad') return result;
  const settings = resolvePaths(result.settings, dirname(resolve(file)));
  return { kind: 'good', loaded: { file, settings, given: result.given } };
}

/** The settings as they stand in the file, or would: raw values, defaults put in. */
export function loadRaw(
  file: string | undefined,
  env: Io['env'],
): { readonly values: ReadonlyMap<string, Raw>; readonly given: ReadonlySet<string> } {
  const raw = new Map<string, Raw>();
  if (file !== undefined) {
    loadConfiguration(file, env);
    const table = parse(readText(file)) as Record<string, Raw>;
    for (const [name, value] of Object.entries(table)) raw.set(name, value);
  }
  const given = new Set(raw.keys());
  const facts = machineFacts(env);
  const values = new Map(
    [...SETTINGS].map(([name, setting]) => [name, raw.get(name) ?? defaultOf(setting, facts)]),
  );
  return { values, given };
}

/** What derived defaults look at on this machine. */
export function machineFacts(env: Io['env']): DefaultFacts {
  return {
    hostname: hostname(),
    stateDirectory: stateDirectory(env),
    gateways: defaultGateways(),
  };
}

/** Where state lives that nobody gave a place (XDG base directories; /var/lib for root). */
function stateDirectory(env: Io['env']): string {
  if (process.getuid?.() === 0) return '/var/lib/postern';
  const base = env['XDG_STATE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.local', 'state'), 'postern');
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof TypeError) {
      throw new CommandError(
        EXIT.configuration,
        `${file}: is not UTF-8 text`,
        'Save it as UTF-8.',
        error,
      );
    }
    throw unreadable(file, error, EXIT.configuration);
  }
}

/** Relative paths are taken from the file's directory: the working directory is an accident. */
function resolvePaths(settings: Settings, directory: string): Settings {
  const full = (path: string): string => (path === '' ? '' : resolve(directory, path));
  return {
    ...settings,
    data_directory: full(settings.data_directory),
    smtpd_tls_cert_file: full(settings.smtpd_tls_cert_file),
    smtpd_tls_key_file: full(settings.smtpd_tls_key_file),
    relayhost_password_file: full(settings.relayhost_password_file),
    smtp_tls_ca_file: full(settings.smtp_tls_ca_file),
    acme_ca_file: full(settings.acme_ca_file),
    smtpd_client_restrictions: withFullTables(settings.smtpd_client_restrictions, full),
    smtpd_helo_restrictions: withFullTables(settings.smtpd_helo_restrictions, full),
    smtpd_sender_restrictions: withFullTables(settings.smtpd_sender_restrictions, full),
    smtpd_recipient_restrictions: withFullTables(settings.smtpd_recipient_restrictions, full),
    tls_server_sni_maps: new Map(
      [...settings.tls_server_sni_maps].map(([name, files]) => [name, files.map(full)]),
    ),
  };
}

/** Restrictions, a word each, with the full paths of their tables: `hash:/etc/postern/clients`. */
function withFullTables(texts: readonly string[], full: (path: string) => string): string[] {
  const words = texts.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
  return words.map((word, at) => {
    if (!/^check_\w+_access$/.test(words[at - 1] ?? '')) return word;
    const type = /^[a-z]+:/.exec(word)?.[0] ?? '';
    return `${type}${full(word.slice(type.length))}`;
  });
}
