/** A TLS identity from PEM files, read again when they change: no restart for a new certificate. */

import { readFileSync, statSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Clock, Timer, TlsIdentity } from '#base/world.ts';
import { systemCode } from '../failures.ts';
import { Certificates, type PemPair } from './identity.ts';

export interface CertificateFiles {
  /** The certificate, then its chain. */
  readonly certificateFile: string;
  /** The key, without password. */
  readonly keyFile: string;
}

export interface TlsIdentityOptions {
  /** The first one answers when no name was asked for, or none of ours. */
  readonly files: readonly CertificateFiles[];
  readonly clock: Clock;
  /** Default false. */
  readonly sessionTickets?: boolean;
  /** How often the files are looked at; 0: only at `reload`. Default 60,000. */
  readonly watchMs?: number;
  /** Told after each reload that the watch began, with the failure when the old ones stay. */
  readonly reloaded?: (failure?: Failure) => void;
}

export interface LiveTlsIdentity extends TlsIdentity {
  /** Reads the files now. On failure it throws, and the certificates stay as they were. */
  reload(): void;
  /** Ends the watch. */
  close(): void;
}

const PEM_BYTES = 1_048_576;
const WATCH_MS = 60_000;

/**
 * Loads certificates. Fails with `certificate-missing` and the words of `loadCertificate`:
 * each names the file and what is wrong with it.
 */
export function tlsIdentity(options: TlsIdentityOptions): LiveTlsIdentity {
  return new WatchedCertificates(options);
}

class WatchedCertificates extends Certificates implements LiveTlsIdentity {
  readonly #options: TlsIdentityOptions;
  readonly #watchMs: number;
  #stamp: string;
  #timer: Timer | undefined;

  constructor(options: TlsIdentityOptions) {
    const stamp = stampOf(options.files);
    super(readPairs(options.files), contextOptions(options));
    this.#options = options;
    this.#stamp = stamp;
    this.#watchMs = options.watchMs ?? WATCH_MS;
    this.#watch();
  }

  reload(): void {
    const stamp = stampOf(this.#options.files);
    this.replace(readPairs(this.#options.files), contextOptions(this.#options));
    this.#stamp = stamp;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    if (this.#watchMs <= 0) return;
    this.#timer = this.#options.clock.after(this.#watchMs, () => {
      this.#watch();
      this.#look();
    });
  }

  #look(): void {
    const stamp = stampOf(this.#options.files);
    if (stamp === this.#stamp) return;
    try {
      this.reload();
      this.#options.reloaded?.();
    } catch (thrown) {
      // Half-written files are usual: the next look finds them whole, for they are not stamped.
      this.#options.reloaded?.(Failure.from(thrown));
    }
  }
}

function contextOptions(options: TlsIdentityOptions): {
  readonly nowMs: number;
  readonly sessionTickets: boolean;
} {
  return { nowMs: options.clock.now(), sessionTickets: options.sessionTickets ?? false };
}

function readPairs(files: readonly CertificateFiles[]): PemPair[] {
  return files.map(({ certificateFile, keyFile }) => ({
    certificate: readPem(certificateFile),
    key: readPem(keyFile),
    source: certificateFile,
  }));
}

function readPem(file: string): string {
  try {
    if (statSync(file).size > PEM_BYTES) {
      throw Failure.permanent('certificate-unreadable', `${file}: larger than ${PEM_BYTES} octets`);
    }
    return readFileSync(file, 'latin1');
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const missing = systemCode(thrown) === 'ENOENT';
    const why = missing ? 'there is no such file' : `cannot be read (${systemCode(thrown)})`;
    throw Failure.permanent(
      missing ? 'certificate-missing' : 'certificate-unreadable',
      `${file}: ${why}`,
      thrown,
    );
  }
}

/** What changes when a file changes: also a swapped link, as ACME clients do it. */
function stampOf(files: readonly CertificateFiles[]): string {
  return files.flatMap((pair) => [stamp(pair.certificateFile), stamp(pair.keyFile)]).join(' ');
}

function stamp(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.mtimeMs}:${stat.size}:${stat.ino}`;
}
