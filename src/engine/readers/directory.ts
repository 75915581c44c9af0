/** Reads the directory from a cache that is emptied when anybody, here or elsewhere, changes it. */

import type { AccountId, Domain } from '#base/brand.ts';
import type { Account, Alias, Credentials, Directory, LocalDomain } from '#store/directory.ts';
import type { Connection } from '../connection.ts';
import type { Reading } from './reading.ts';

/** Other processes' changes are seen after this long at the latest. */
const FRESH_MS = 100;
/** Answers that are kept, of each kind: strangers ask for any name. */
const KEPT = 10_000;

const DOMAIN = 'SELECT name, catch_all FROM domains WHERE name = ?';
const DOMAINS = 'SELECT name, catch_all FROM domains ORDER BY name';
const ACCOUNT = 'SELECT id, address, enabled, created_ms FROM accounts WHERE address = ?';
const ACCOUNT_BY_ID = 'SELECT id, address, enabled, created_ms FROM accounts WHERE id = ?';
const ACCOUNTS = 'SELECT id, address, enabled, created_ms FROM accounts ORDER BY address';
const ALIAS = 'SELECT address FROM aliases WHERE address = ?';
const ALIASES = 'SELECT address FROM aliases ORDER BY address';
const TARGETS = 'SELECT target FROM alias_targets WHERE alias = ? ORDER BY position';
const CREDENTIALS = `SELECT password, scram_salt, scram_iterations, scram_stored_key,
  scram_server_key FROM accounts WHERE id = ?`;
const VERSION = `SELECT value FROM meta WHERE name = 'directory'`;

type AccountColumns = readonly [id: AccountId, address: string, enabled: number, createdMs: number];
type DomainColumns = readonly [name: Domain, catchAll: string | null];
type SecretColumns = readonly [string, Uint8Array, number, Uint8Array, Uint8Array];

export class DirectoryCache implements Directory {
  readonly #reading: Reading;
  readonly #now: () => number;
  readonly #domains = new Map<string, LocalDomain | undefined>();
  readonly #accounts = new Map<string, Account | undefined>();
  readonly #accountsById = new Map<number, Account | undefined>();
  readonly #aliases = new Map<string, Alias | undefined>();
  #lookedMs = Number.NEGATIVE_INFINITY;
  #dataVersion = -1;
  #version = -1;

  constructor(reading: Reading, now: () => number) {
    this.#reading = reading;
    this.#now = now;
  }

  /** Forgets all: the directory has changed. */
  refresh(): void {
    this.#domains.clear();
    this.#accounts.clear();
    this.#accountsById.clear();
    this.#aliases.clear();
  }

  domains(): readonly LocalDomain[] {
    return this.#reading.read((sql) => sql.rows<DomainColumns>(DOMAINS).map(domainFrom));
  }

  domain(name: Domain): LocalDomain | undefined {
    return this.#cached(this.#domains, name, (sql) => {
      const row = sql.row<DomainColumns>(DOMAIN, name);
      return row === undefined ? undefined : domainFrom(row);
    });
  }

  accounts(): readonly Account[] {
    return this.#reading.read((sql) => sql.rows<AccountColumns>(ACCOUNTS).map(accountFrom));
  }

  account(address: string): Account | undefined {
    return this.#cached(this.#accounts, address, (sql) => {
      const row = sql.row<AccountColumns>(ACCOUNT, address);
      return row === undefined ? undefined : accountFrom(row);
    });
  }

  accountById(id: AccountId): Account | undefined {
    return this.#cached(this.#accountsById, id, (sql) => {
      const row = sql.row<AccountColumns>(ACCOUNT_BY_ID, id);
      return row === undefined ? undefined : accountFrom(row);
    });
  }

  credentials(id: AccountId): Credentials | undefined {
    const row = this.#reading.read((sql) => sql.row<SecretColumns>(CREDENTIALS, id));
    if (row === undefined) return undefined;
    const [password, salt, iterations, storedKey, serverKey] = row;
    return { password, scram: { salt, iterations, storedKey, serverKey } };
  }

  aliases(): readonly Alias[] {
    return this.#reading.read((sql) =>
      sql.rows<[string]>(ALIASES).map(([address]) => aliasFrom(sql, address)),
    );
  }

  alias(address: string): Alias | undefined {
    return this.#cached(this.#aliases, address, (sql) =>
      sql.row(ALIAS, address) === undefined ? undefined : aliasFrom(sql, address),
    );
  }

  #cached<Key, Value>(
    cache: Map<Key, Value | undefined>,
    key: Key,
    find: (sql: Connection) => Value | undefined,
  ): Value | undefined {
    this.#look();
    const known = cache.get(key);
    if (known !== undefined || cache.has(key)) return known;
    const found = this.#reading.read(find);
    if (cache.size >= KEPT) cache.clear();
    cache.set(key, found);
    return found;
  }

  /** Two cheap questions: did anybody commit, and did that touch the directory? */
  #look(): void {
    const nowMs = this.#now();
    if (nowMs - this.#lookedMs < FRESH_MS && nowMs >= this.#lookedMs) return;
    this.#lookedMs = nowMs;
    const version = this.#reading.read((sql) => {
      const dataVersion = sql.dataVersion();
      if (dataVersion === this.#dataVersion) return this.#version;
      this.#dataVersion = dataVersion;
      return sql.row<[number]>(VERSION)?.[0] ?? 0;
    });
    if (version !== this.#version) this.refresh();
    this.#version = version;
  }
}

function domainFrom([name, catchAll]: DomainColumns): LocalDomain {
  return { name, catchAll: catchAll ?? undefined };
}

function accountFrom([id, address, enabled, createdMs]: AccountColumns): Account {
  return { id, address, enabled: enabled === 1, createdMs };
}

function aliasFrom(sql: Connection, address: string): Alias {
  return { address, targets: sql.rows<[string]>(TARGETS, address).map(([target]) => target) };
}
