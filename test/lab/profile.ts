/** Profiles: what is planted in which server, its cured twin, and what must be told of both. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import { type Level, LEVELS } from '#audit/check.ts';

/** One server to start and to audit: the weak side of a profile or its cured twin. */
export interface Case {
  /** `P07`, `P07-cured`. */
  readonly id: string;
  readonly profile: string;
  readonly server: string;
  readonly what: string;
  readonly level: Level;
  /** More for the command line of the auditor. */
  readonly options: readonly string[];
  readonly settings: string;
  readonly services: string;
  readonly files: Readonly<Record<string, string>>;
  /** Names with their records, as test/world/dns-server.ts has them; for the server `dns`. */
  readonly zone: Readonly<Record<string, unknown>>;
  /** Servers beside it: `MOCK ADDRESS NAME`, a mock with a good certificate for that name. */
  readonly beside: readonly string[];
  /** Ports of a proxy in front of it, `465 25 tls`; it is the proxy that is audited. */
  readonly front: readonly string[];
  /** Where it is, if not at an address of the lab's choice. */
  readonly address: string;
  /** What `https://mta-sts.DOMAIN` answers; empty: nothing is there. */
  readonly policy: string;
  /** What the profile is about, on the weak side; these are present too. */
  readonly planted: readonly string[];
  /** Checks that must be found (confirmed or likely); all others must not, in the judged groups. */
  readonly present: ReadonlySet<string>;
  /** Checks of which the configuration does not decide what is right, with the reason. */
  readonly undecided: ReadonlySet<string>;
  /** Groups that the profile speaks of; undefined: all that its kind is judged by. */
  readonly groups: ReadonlySet<string> | undefined;
  /** Groups that it leaves to other profiles. */
  readonly without: ReadonlySet<string>;
  /** What the fingerprint must say; `unknown` where nothing is known of it. */
  readonly product: string;
}

type Table = Readonly<Record<string, unknown>>;

const HERE = import.meta.dirname;

/** Every case, weak before cured, in the order of the files. Throws on a file that is wrong. */
export function readCases(): readonly Case[] {
  const folder = path.join(HERE, 'profiles');
  const stock = new Map<string, Table>();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.toml'))
    .toSorted()
    .flatMap((name) => {
      const table = read(path.join(folder, name));
      const server = text(table, 'server');
      if (!stock.has(server)) stock.set(server, read(path.join(HERE, 'stock', `${server}.toml`)));
      return casesOf(table, stock.get(server) ?? {});
    });
}

function casesOf(profile: Table, stock: Table): Case[] {
  const weak = caseOf(text(profile, 'id'), profile, {}, list(profile, 'planted'), stock);
  const { cured } = profile;
  if (cured === undefined) return [weak];
  return [weak, caseOf(`${weak.id}-cured`, profile, cured as Table, [], stock)];
}

/** `own` is the twin's table: what it says counts instead of, or beside, what the profile says. */
function caseOf(
  id: string,
  profile: Table,
  own: Table,
  planted: readonly string[],
  stock: Table,
): Case {
  const instead = (name: string): Table => (own[name] === undefined ? profile : own);
  const both = (name: string): string[] => [...list(profile, name), ...list(own, name)];
  const lacks = new Set(both('lacks'));
  const withTls = stock['tls'] as Table | undefined;
  const hasTls = (own['tls'] ?? profile['tls'] ?? withTls?.['always']) === true;
  const groups = profile['groups'] === undefined ? undefined : new Set(list(profile, 'groups'));
  const shown = [...list(stock, 'present'), ...(hasTls ? list(withTls ?? {}, 'present') : [])];
  const base = shown.filter(
    (one) => !lacks.has(one) && groups?.has(one.split('.', 1)[0] ?? '') !== false,
  );
  const level = LEVELS.find((one) => one === text(profile, 'level', 'safe'));
  if (level === undefined) throw new Error(`${id}: no such level`);
  return {
    id,
    profile: text(profile, 'id'),
    server: text(profile, 'server'),
    what: text(own, 'what', text(profile, 'what')),
    level,
    options: both('options'),
    settings: text(instead('settings'), 'settings', ''),
    services: text(instead('services'), 'services', ''),
    files: {
      ...(profile['files'] as Record<string, string> | undefined),
      ...(own['files'] as Record<string, string> | undefined),
    },
    zone: (instead('zone')['zone'] as Record<string, unknown> | undefined) ?? {},
    beside: list(instead('beside'), 'beside'),
    front: list(instead('front'), 'front'),
    address: text(profile, 'address', ''),
    policy: text(instead('policy'), 'policy', ''),
    planted,
    present: new Set([...base, ...both('also'), ...planted]),
    undecided: new Set([...list(stock, 'undecided'), ...both('undecided')]),
    groups,
    without: new Set(list(profile, 'without')),
    product: text(instead('product'), 'product', text(stock, 'product')),
  };
}

function read(file: string): Table {
  return parse(readFileSync(file, 'utf8'));
}

function text(table: Table, name: string, otherwise?: string): string {
  const value = table[name] ?? otherwise;
  if (typeof value === 'string') return value;
  throw new Error(`${String(table['id'])}: "${name}" is missing`);
}

function list(table: Table, name: string): string[] {
  const value = table[name] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Error(`${String(table['id'])}: "${name}" is no list`);
}

/** For truth.json: each check that is there, or that is not decided; all others are not there. */
export function truthOf(cases: readonly Case[]): Record<string, unknown> {
  return Object.fromEntries(
    cases.map(({ id, what, product, present, undecided }) => {
      const told = [...present].filter((check) => !undecided.has(check)).toSorted();
      return [id, { what, product, present: told, na: [...undecided].toSorted() }];
    }),
  );
}
