/** Answers what SASL mechanisms ask about logins: same work for known and unknown ones. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Domain } from '#base/brand.ts';
import { asBuffer } from '#base/bytes.ts';
import { Failure, invariant } from '#base/failure.ts';
import type { Clock, Random } from '#base/world.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Identity, SaslAnswer, SaslQuestion } from '#protocol/sasl/mechanism.ts';
import { prepareSasl } from '#protocol/sasl/prepare.ts';
import { SCRAM_ITERATIONS } from '#protocol/sasl/scram.ts';
import type { Credentials, Directory } from '#store/directory.ts';
import { HASH_BYTES, HASH_PARAMETERS, SALT_BYTES, argon2id } from './argon2.ts';
import type { HashFunction } from './argon2.ts';
import { ATTEMPT_LIMITS, Attempts } from './attempts.ts';
import type { AttemptLimits } from './attempts.ts';
import { HashQueue } from './hashing.ts';
import { loginKey, strangeKey } from './name.ts';
import { formatPhc, parsePhc } from './phc.ts';
import type { HashParameters } from './phc.ts';
import { type Renewal, freshCredentials } from './renewal.ts';
import { clientNetwork } from './prefix.ts';
import type { ClientNetwork } from './prefix.ts';
import { VerifiedPasswords } from './verified.ts';

export interface LoginOptions {
  readonly directory: Pick<Directory, 'domains' | 'account' | 'credentials'>;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly random: Random;
  /** Kept for as long as this installation lives: made-up salts must not change (RFC 5802 9). */
  readonly installationKey: Uint8Array;
  /** Put behind a login without `@`; undefined: the domain, if there is only one. */
  readonly defaultDomain?: Domain;
  readonly hash?: HashFunction;
  /** What an unknown login costs: the costs of new passwords. */
  readonly parameters?: HashParameters;
  readonly scramIterations?: number;
  readonly limits?: Partial<AttemptLimits>;
  /** Hashes at once. */
  readonly hashConcurrency?: number;
  /** Logins that may wait for a hash. */
  readonly hashWaiting?: number;
  /** Makes what is stored as dear as new passwords are; undefined: it stays as it is. */
  readonly renewal?: Renewal | undefined;
  readonly cacheEntries?: number;
  readonly cacheMs?: number;
}

/** The logins of one connection. */
export interface LoginSession {
  /**
   * Answers one question of a mechanism. Throws a temporary Failure: `login-delayed` (too many
   * failures from this network), `login-busy`, `hash-failed`; none says whether the login exists.
   */
  answer(question: SaslQuestion): Promise<SaslAnswer>;
  /** The exchange ended well: call it for each one, SCRAM's failure is presumed until then. */
  authenticated(who: Authenticated): void;
  /** The address key of the account that a login names, there or not; undefined: it names none. */
  keyOf(login: string): string | undefined;
}

interface Found {
  readonly identity: Identity;
  readonly credentials: Credentials;
}

/** All logins of this process. */
export class Logins {
  readonly #options: LoginOptions;
  readonly #attempts: Attempts;
  readonly #queue: HashQueue;
  readonly #verified: VerifiedPasswords;
  /** Stands in for the stored hash of a login that does not exist. */
  readonly #nobody: string;
  /** Guesses being verified right now: the same one again shares the work and the count. */
  readonly #running = new Map<string, Promise<Identity | undefined>>();

  constructor(options: LoginOptions) {
    const { clock, random, installationKey } = options;
    invariant(installationKey.length >= 16, 'the installation key has at least 16 octets');
    this.#options = options;
    this.#attempts = new Attempts(clock, { ...ATTEMPT_LIMITS, ...options.limits });
    this.#queue = new HashQueue({
      concurrency: options.hashConcurrency ?? 2,
      waiting: options.hashWaiting ?? 256,
    });
    this.#verified = new VerifiedPasswords(random, clock, {
      entries: options.cacheEntries ?? 10_000,
      keepMs: options.cacheMs ?? 3_600_000,
    });
    this.#nobody = formatPhc({
      parameters: options.parameters ?? HASH_PARAMETERS,
      salt: random.bytes(SALT_BYTES),
      hash: random.bytes(HASH_BYTES),
    });
  }

  /** The logins of a client at `clientAddress`. */
  session(clientAddress: string): LoginSession {
    const network = clientNetwork(clientAddress);
    let asked: string | undefined;
    return {
      answer: async (question) => {
        const login = this.#keyOf(question.login) ?? strangeKey(question.login);
        asked = question.kind === 'scram' ? login : undefined;
        if (question.kind === 'scram') return this.#scram(network, login);
        const password = question.password.reveal();
        return { kind: 'password', identity: await this.#password(network, login, password) };
      },
      authenticated: (who) => {
        if (asked === who.address) this.#attempts.succeeded(network, asked);
        asked = undefined;
      },
      keyOf: (login) => this.#keyOf(login),
    };
  }

  #keyOf(login: string): string | undefined {
    const { directory, defaultDomain } = this.#options;
    return loginKey(login, directory, defaultDomain);
  }

  async #password(
    network: ClientNetwork,
    login: string,
    password: string,
  ): Promise<Identity | undefined> {
    this.#mustWait(network, login);
    const found = this.#find(login);
    const prepared = prepareSasl(password);
    if (prepared === undefined) {
      this.#attempts.charge(network, login);
      return undefined;
    }
    const stored = found?.credentials.password ?? this.#nobody;
    const whose = found === undefined ? `?${login}` : String(found.identity.account);
    const digest = this.#verified.digest(whose, stored, prepared);
    if (found !== undefined && this.#verified.has(digest)) {
      this.#attempts.trusted(network, login);
      return found.identity;
    }
    if (this.#attempts.isKnownWrong(network, login, digest)) return undefined;
    const guess = `${network.narrow} ${digest}`;
    const running = this.#running.get(guess);
    if (running !== undefined) return running;
    const fresh = this.#verify(network, login, { found, stored, password, prepared, digest });
    this.#running.set(guess, fresh);
    try {
      return await fresh;
    } finally {
      this.#running.delete(guess);
    }
  }

  async #verify(
    network: ClientNetwork,
    login: string,
    guess: Guess,
  ): Promise<Identity | undefined> {
    this.#attempts.charge(network, login);
    let right: boolean;
    try {
      right = await this.#queue.run(() => this.#matches(guess.stored, guess.prepared));
    } catch (failure) {
      this.#attempts.refund(network, login);
      throw failure;
    }
    // The directory may have changed while the hash ran: a closed account stays closed.
    const found = guess.found === undefined ? undefined : this.#find(login);
    if (!right) this.#attempts.rememberWrong(network, login, guess.digest);
    if (!right || found?.credentials.password !== guess.stored) return undefined;
    this.#attempts.succeeded(network, login);
    this.#verified.add(guess.digest);
    this.#renew(found, guess.password);
    return found.identity;
  }

  /** Behind the answer: a login does not wait for it. */
  #renew({ identity, credentials }: Found, password: string): void {
    const { renewal, random, hash, parameters, scramIterations } = this.#options;
    if (renewal === undefined) return;
    const costs = { hash, parameters, scramIterations };
    const make = freshCredentials(credentials, password, random, costs);
    if (make === undefined) return;
    this.#queue
      .run(make)
      .then((fresh) => renewal.write(identity.account, credentials.password, fresh))
      .catch(renewal.failed);
  }

  async #matches(stored: string, password: string): Promise<boolean> {
    const known = parsePhc(stored);
    if (known === undefined) {
      throw Failure.temporary('credentials-unreadable', 'the stored password is no argon2id hash');
    }
    const hash = this.#options.hash ?? argon2id;
    const computed = await hash(password, known.salt, known.parameters, known.hash.length);
    return timingSafeEqual(asBuffer(computed), asBuffer(known.hash));
  }

  /** Keys for SCRAM. Charged now: whether the proof was right is only known later, if at all. */
  #scram(network: ClientNetwork, login: string): SaslAnswer {
    this.#mustWait(network, login);
    this.#attempts.charge(network, login);
    // Made up for everyone, used for those who do not exist: the work is the same.
    const madeUp = {
      salt: this.#madeUp('salt', login).subarray(0, SALT_BYTES),
      iterations: this.#options.scramIterations ?? SCRAM_ITERATIONS,
      storedKey: this.#madeUp('stored key', login),
      serverKey: this.#madeUp('server key', login),
    };
    const found = this.#find(login);
    const keys = found?.credentials.scram ?? madeUp;
    const { salt, iterations, storedKey, serverKey } = keys;
    const identity = found?.identity;
    return { kind: 'scram', identity, salt, iterations, storedKey, serverKey };
  }

  #madeUp(what: string, login: string): Buffer {
    return createHmac('sha256', this.#options.installationKey).update(`${what}\0${login}`).digest();
  }

  #mustWait(network: ClientNetwork, login: string): void {
    const waitMs = this.#attempts.waitMs(network, login);
    if (waitMs <= 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw Failure.temporary('login-delayed', `too many failed logins, try again in ${seconds} s`);
  }

  /** An enabled account with credentials; everything else is nobody. */
  #find(login: string): Found | undefined {
    const { directory } = this.#options;
    const account = directory.account(login);
    if (account === undefined || !account.enabled) return undefined;
    const credentials = directory.credentials(account.id);
    if (credentials === undefined) return undefined;
    const identity: Identity = { account: account.id, address: account.address };
    return { identity, credentials };
  }
}

interface Guess {
  readonly found: Found | undefined;
  readonly stored: string;
  readonly password: string;
  readonly prepared: string;
  readonly digest: string;
}
