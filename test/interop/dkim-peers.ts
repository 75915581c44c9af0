/** Debian's opendkim and python3-dkim at work on files of a folder, with the keys of one domain. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Domain } from '#base/brand.ts';
import { keyName, makeKey, readSigningKey } from '#trust/dkim/keys.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import { run } from './tools.ts';

/** Debian's python3-dkim, not the python that happens to come first in PATH. */
const PYTHON = '/usr/bin/python3';

export class DkimPeers {
  /** What the peers find in the DNS: see `publish`. */
  readonly records: ReadonlyMap<string, string>;
  readonly rsa: SigningKey;
  readonly ed: SigningKey;
  readonly #domain: Domain;
  readonly #folder: string;
  readonly #records = new Map<string, string>();

  private constructor(domain: Domain, folder: string, made: readonly Made[]) {
    this.#domain = domain;
    this.#folder = folder;
    this.records = this.#records;
    const [rsa, ed] = made.map(({ pem, selector }) => {
      writeFileSync(this.file(`${selector}.pem`), pem, { mode: 0o600 });
      return readSigningKey(pem, domain, selector);
    });
    this.rsa = rsa!;
    this.ed = ed!;
    this.publish(keyName(this.rsa), made[0]!.record);
    this.publish(keyName(this.ed), made[1]!.record);
  }

  /** With keys `rsa` and `ed` of the domain, in `rsa.pem` and `ed.pem`, both published. */
  static async create(domain: Domain): Promise<DkimPeers> {
    const folder = mkdtempSync(path.join(tmpdir(), 'postern-dkim-'));
    const rsa = { selector: 'rsa', ...(await makeKey('rsa-sha256')) };
    const ed = { selector: 'ed', ...(await makeKey('ed25519-sha256')) };
    return new DkimPeers(domain, folder, [rsa, ed]);
  }

  file(name: string): string {
    return path.join(this.#folder, name);
  }

  publish(name: string, record: string): void {
    this.#records.set(name, record);
    const table = [...this.#records].map((row) => `${row.join(' ')}\n`);
    writeFileSync(this.file('keys'), table.join(''));
  }

  /** What opendkim says of the signatures. */
  async opendkimVerifies(message: string): Promise<string> {
    return this.#opendkim(`TestPublicKeys ${this.file('keys')}\nMode v\n`, message, 2);
  }

  /** The message with opendkim's signature; its test mode prints the field it would put in. */
  async signedByOpendkim(message: string, form: string): Promise<string> {
    const settings = `Domain ${this.#domain}\nSelector rsa\nKeyFile ${this.file('rsa.pem')}\nMode s\n`;
    const rest = `RequireSafeKeys no\nSignatureAlgorithm rsa-sha256\nCanonicalization ${form}\n`;
    const output = await this.#opendkim(settings + rest, message, 3);
    const value = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(output)?.[1];
    assert.ok(value !== undefined, output);
    return `DKIM-Signature: ${value.replace(/\r?\n/g, '\r\n')}\r\n${message}`;
  }

  /**
   * Runs Python with the message as `m` and the records as `dns`, octets as latin1 both ways.
   * What it prints; a message that it writes stays as it is.
   */
  async python(script: string, message: string): Promise<string> {
    writeFileSync(this.file('message'), message, 'latin1');
    writeFileSync(
      this.file('script.py'),
      `import dkim, sys
records = ${JSON.stringify(Object.fromEntries(this.#records))}
dns = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode() or None
m = open('${this.file('message')}', 'rb').read()
${script}
`,
    );
    const line = `${PYTHON} ${this.file('script.py')} >${this.file('out')}`;
    const { code, output } = await run('sh', ['-c', line]);
    assert.equal(code, 0, output);
    const text = readFileSync(this.file('out'), 'latin1');
    return /^(?:ARC|DKIM)-/.test(text) ? text : text.trim();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #opendkim(settings: string, message: string, verbose: number): Promise<string> {
    writeFileSync(this.file('message'), message, 'latin1');
    writeFileSync(this.file('opendkim.conf'), settings);
    const args = ['-x', this.file('opendkim.conf'), '-t', this.file('message')];
    return (await run('opendkim', [...args, ...Array<string>(verbose).fill('-v')])).output;
  }
}

/** A reason to skip, for node:test's `skip`. */
export function withoutPythonDkim(): string | false {
  const found = spawnSync(PYTHON, ['-c', 'import dkim, nacl, authres'], { stdio: 'ignore' });
  return found.status === 0 ? false : 'not installed: python3-dkim, python3-nacl, python3-authres';
}

interface Made {
  readonly selector: string;
  readonly pem: string;
  readonly record: string;
}
