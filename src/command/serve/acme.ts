/** Certificates from an ACME authority: ordered, renewed in time, put where listeners read them. */

import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '#base/failure.ts';
import type { Web } from '#base/web.ts';
import type { Clock, Log, Random, Timer, World } from '#base/world.ts';
import { makeDirectory } from '#engine/directories.ts';
import { AcmeClient, type ChallengeKind } from '#network/acme/client.ts';
import { accountKey } from '#network/acme/jws.ts';
import type { CertificateFiles } from '#network/tls/files.ts';
import { systemWeb } from '#network/http/client.ts';
import type { Settings } from '../configuration/settings.ts';
import { writeWhole } from '../files.ts';
import { exported, loadX509 } from './authority.ts';
import type { Challenges } from './challenges.ts';
import { authoritiesFrom } from './protection.ts';

export interface AcmeRenewal {
  readonly web: Web;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The folder of the account's key, the certificate and its key. */
  readonly directory: string;
  /** URL of the authority's directory. */
  readonly authority: string;
  readonly contact: string | undefined;
  readonly termsAgreed: boolean;
  readonly kind: ChallengeKind;
  /** Which names the certificate is to have, now; the first is what listeners go by. */
  readonly names: () => readonly string[];
  readonly challenges: Challenges;
  /** Whether a certificate is one that we made ourselves, to be replaced. */
  readonly isOwn: (certificate: X509Certificate) => boolean;
  /** Tells the listeners. */
  readonly renewed: () => void;
  readonly pollMs?: number;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const FIRST_MS = 1_000;
const CHECK_MS = 6 * 3_600_000;
const RETRY_MS = 300_000;
const LONGEST_RETRY_MS = 86_400_000;
/** Authorities allow a few wrong proofs of a name, and a few equal certificates a week. */
const LEFT_OUT_MS = 86_400_000;
const PRIVATE = 0o600;

/** Where the account, the certificate and its key are; undefined: nothing is to be ordered. */
export function acmeFolder(settings: Settings, demo: boolean): string | undefined {
  if (settings.acme_directory === '' || demo) return undefined;
  return join(settings.data_directory, 'acme');
}

/** The renewer as the settings want it. */
export function makeRenewer(parts: {
  readonly settings: Settings;
  readonly world: Pick<World, 'clock' | 'random' | 'log' | 'resolver'>;
  readonly folder: string;
  readonly challenges: Challenges;
  readonly names: () => readonly string[];
  /** The PEM file of our own authority. */
  readonly authority: string | undefined;
  readonly renewed: () => void;
}): AcmeRenewer {
  const { settings, world, folder, challenges, names, renewed, authority } = parts;
  const own = authority === undefined ? undefined : new X509Certificate(readFileSync(authority));
  return new AcmeRenewer({
    ...world,
    web: systemWeb({
      resolver: world.resolver,
      authorities: authoritiesFrom(settings, 'acme_ca_file'),
    }),
    directory: folder,
    authority: settings.acme_directory,
    contact: settings.acme_contact,
    termsAgreed: settings.acme_terms_agreed,
    kind: settings.acme_challenge,
    names,
    challenges,
    isOwn: (certificate) => own !== undefined && certificate.verify(own.publicKey),
    renewed,
  });
}

/** The files in `directory` that listeners read. */
export function acmeFiles(directory: string): CertificateFiles {
  return { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
}

/** Something to begin with: our own certificate, until the authority gave one. */
export function placeholder(directory: string, own: CertificateFiles): CertificateFiles {
  const files = acmeFiles(directory);
  if (isUsable(files, Date.now())) return files;
  makeDirectory(directory);
  writeWhole(files.keyFile, readFileSync(own.keyFile), PRIVATE);
  writeWhole(files.certificateFile, readFileSync(own.certificateFile));
  return files;
}

/** One that ended while we were away would keep the whole server from starting. */
function isUsable({ certificateFile, keyFile }: CertificateFiles, nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(certificateFile));
    const fits = certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)));
    return fits && certificate.validToDate.getTime() > nowMs;
  } catch {
    return false;
  }
}

/** Looks now and then whether a certificate is due; failures wait twice as long each time. */
export class AcmeRenewer {
  readonly #options: AcmeRenewal;
  /** Names without proof, and until when nobody asks for them. */
  readonly #leftOut = new Map<string, number>();
  #timer: Timer | undefined;
  #failures = 0;
  #stopped = false;

  constructor(options: AcmeRenewal) {
    this.#options = options;
  }

  start(): void {
    this.#arm(FIRST_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Why a certificate is due, or undefined: names changed, made by ourselves, or late in life. */
  due(): string | undefined {
    const { certificateFile } = acmeFiles(this.#options.directory);
    const { clock, isOwn } = this.#options;
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(readFileSync(certificateFile));
    } catch {
      return 'there is none';
    }
    if (isOwn(certificate)) return 'it is our own';
    const missing = this.#names().find((name) => certificate.checkHost(name) === undefined);
    if (missing !== undefined) return `it is not for ${missing}`;
    const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    // A third of its life is left, whether that is a month or two days.
    return clock.now() > to - (to - from) / 3 ? `it ends on ${certificate.validTo}` : undefined;
  }

  /**
   * Orders if one is due; whether all is well now. A name that cannot be proven (a domain that was
   * added here and does not point here yet) is left out for a day: else the certificate of all the
   * others would run out by it. Never rejects.
   */
  async renew(): Promise<boolean> {
    const { log } = this.#options;
    for (;;) {
      const why = this.due();
      if (why === undefined) return true;
      const names = this.#names();
      let unproven: string | undefined;
      try {
        await this.#order(names, (name) => (unproven = name));
        log.event('info', 'acme-certificate', { names: [...names], why });
        return true;
      } catch (thrown) {
        const { code, message } = Failure.from(thrown);
        if (unproven === undefined || !this.#leaveOut(unproven)) {
          log.event('error', 'acme-failed', { code, reason: message, why });
          return false;
        }
        log.event('warn', 'acme-name-left-out', { name: unproven, reason: message });
      }
    }
  }

  /** Those that are wanted, but for what nobody could prove a while ago. */
  #names(): readonly string[] {
    const nowMs = this.#options.clock.elapsed();
    return this.#options.names().filter((name) => (this.#leftOut.get(name) ?? 0) <= nowMs);
  }

  #leaveOut(name: string): boolean {
    const [own, ...others] = this.#names();
    if (name === own || !others.includes(name)) return false;
    this.#leftOut.set(name, this.#options.clock.elapsed() + LEFT_OUT_MS);
    return true;
  }

  async #order(names: readonly string[], unproven: (name: string) => void): Promise<void> {
    const { directory, web, clock, authority, challenges, contact } = this.#options;
    const { kind, termsAgreed, pollMs } = this.#options;
    const { csr, key } = await requestFor(names);
    const client = new AcmeClient({
      web,
      clock,
      directory: authority,
      account: accountKey(accountPem(directory)),
      contacts: contact === undefined ? [] : [contact],
      termsAgreed,
      ...(pollMs === undefined ? {} : { pollMs }),
    });
    const answer = (challenge: Parameters<Challenges['show']>[0]) => challenges.show(challenge);
    const chain = await client.order({ names, kind, csr, answer, unproven });
    const leaf = new X509Certificate(chain);
    const missing = names.find((name) => leaf.checkHost(name) === undefined);
    if (missing !== undefined) {
      throw Failure.temporary('acme-broken', `the certificate is not for ${missing}`);
    }
    const files = acmeFiles(directory);
    // Until both are there the pair does not fit, and listeners keep what they have.
    writeWhole(files.keyFile, key, PRIVATE);
    writeWhole(files.certificateFile, chain);
    this.#options.renewed();
  }

  #arm(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(ms, () => {
      void this.renew().then((fine) => {
        this.#failures = fine ? 0 : this.#failures + 1;
        const backOff = Math.min(RETRY_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
        this.#arm(this.#jittered(fine ? CHECK_MS : backOff));
      });
    });
  }

  /** Three quarters to five quarters: not all the world at the same minute. */
  #jittered(ms: number): number {
    const [chance = 0] = this.#options.random.bytes(1);
    return ms * (0.75 + chance / 512);
  }
}

/** The key of the account, made at the first order; nobody else may read it. */
function accountPem(directory: string): string {
  const file = join(directory, 'account.key');
  if (existsSync(file)) return readFileSync(file, 'latin1');
  makeDirectory(directory);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeWhole(file, pem, PRIVATE);
  return pem;
}

/** A fresh key and the request for its certificate. */
async function requestFor(names: readonly string[]): Promise<{ csr: Uint8Array; key: string }> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    // Some authorities want the name nowhere but here; it may be too long for a common name.
    name: [],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns', value }) as const),
      ),
    ],
  });
  return { csr: new Uint8Array(request.rawData), key: await exported(keys.privateKey) };
}
