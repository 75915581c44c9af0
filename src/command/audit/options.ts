/** The options of `postern audit` as values; a CommandError for the first that is wrong. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { parseAddress } from '#base/address.ts';
import { parseDomain } from '#base/domain.ts';
import { Secret } from '#base/secret.ts';
import { type Level, LEVELS, SEVERITIES, type Severity } from '#audit/check.ts';
import type { ProbeAccount } from '#audit/probe.ts';
import { readWaivers, type Waiver } from '#audit/verdict.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { normalAddress } from '../configuration/hosts.ts';
import { CommandError, EXIT } from '../exit.ts';

const FILE_BYTES = 16_777_216;
const NAMES = 1_000_000;

/** `--level`. */
export function levelOf(context: Context): Level {
  return oneOf('--level', option(context, 'level') ?? 'safe', LEVELS);
}

/** `--fail-on`. */
export function failOnOf(context: Context): Severity {
  return oneOf('--fail-on', option(context, 'fail-on') ?? 'high', SEVERITIES);
}

/** A list between commas; undefined when the option was not given. */
export function listOf(context: Context, name: string): readonly string[] | undefined {
  const text = option(context, name);
  if (text === undefined) return undefined;
  const words = text.split(',').map((word) => word.trim());
  if (words.some((word) => word === '')) throw usage(`--${name} has an empty entry`);
  return words;
}

/** `--ports`. */
export function portsOf(context: Context): readonly number[] | undefined {
  return listOf(context, 'ports')?.map((word) => {
    const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
    if (port < 1 || port > 65_535) throw usage(`--ports: "${word}" is no port`);
    return port;
  });
}

/** `--domain`. */
export function domainsOf(context: Context): readonly string[] {
  return (listOf(context, 'domain') ?? []).map((word) => {
    const domain = parseDomain(word);
    if (domain === undefined) throw usage(`--domain: "${word}" is no domain`);
    return domain;
  });
}

/** `--source`: an address of this machine. */
export function sourceOf(context: Context): string | undefined {
  const text = option(context, 'source');
  const address = text === undefined ? undefined : normalAddress(text);
  if (text !== undefined && address === undefined) {
    throw usage(`--source: "${text}" is no IP address`, 'Name one of this machine.');
  }
  return address;
}

/** `--helo`: it stands in a command, so it is one word. */
export function heloOf(context: Context): string {
  const name = option(context, 'helo') ?? 'audit.invalid';
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) throw usage('--helo takes one word');
  return name;
}

/** `--known-user`: an address or a local part. */
export function knownUserOf(context: Context): string | undefined {
  const text = option(context, 'known-user');
  if (text === undefined) return undefined;
  const local = parseAddress(text.includes('@') ? text : `${text}@x.invalid`);
  if (local === undefined) throw usage(`--known-user: "${text}" is no address`);
  return text;
}

/** `--names`: a line a name. */
export function namesOf(context: Context): readonly string[] {
  const file = option(context, 'names');
  if (file === undefined) return [];
  const lines = textOf(file)
    .split(/\r?\n/)
    .map((line) => line.trim());
  const names = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (names.length > NAMES) throw usage(`--names: more than ${NAMES} names`);
  return [...new Set(names)];
}

/** `--account` with its password; undefined without it. */
export async function accountOf(context: Context): Promise<ProbeAccount | undefined> {
  const login = option(context, 'account');
  if (login === undefined) return undefined;
  const file = option(context, 'password-file');
  const text =
    file === undefined
      ? (context.io.env['POSTERN_PASSWORD'] ??
        (await context.io.askSecret(`Password of ${login}: `)))
      : textOf(file).split(/\r?\n/, 1)[0];
  if (text === undefined || text === '') {
    throw usage('--account needs a password', 'Use --password-file, or POSTERN_PASSWORD.');
  }
  return { login, password: new Secret(text) };
}

/** `--baseline`: waivers, each with its last day. */
export function waiversOf(context: Context): readonly Waiver[] {
  const file = option(context, 'baseline');
  if (file === undefined) return [];
  const read = readWaivers(tomlOf(file));
  if (!('problem' in read)) return read;
  throw usage(`${file} ${read.problem}`);
}

/** A file of at most 16 MiB as text. */
export function textOf(file: string): string {
  if (existsSync(file) && statSync(file).size > FILE_BYTES) {
    throw usage(`${file} is larger than ${FILE_BYTES} octets`);
  }
  return readFileSync(file, 'utf8');
}

function tomlOf(file: string): unknown {
  const text = textOf(file);
  try {
    return parseToml(text);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : '';
    throw usage(`${file} is no TOML: ${why}`);
  }
}

function oneOf<T extends string>(name: string, text: string, words: readonly T[]): T {
  const word = words.find((one) => one === text.toLowerCase());
  if (word === undefined) throw usage(`${name} is one of ${words.join(', ')}, not "${text}"`);
  return word;
}

/** Something wrong with the command line. */
export function usage(message: string, cure?: string): CommandError {
  return new CommandError(EXIT.usage, message, cure);
}
