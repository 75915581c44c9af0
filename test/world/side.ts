/** One of two mail domains on loopback: a whole Postern on an address of its own, with one user. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { type Finished, run } from '../interop/tools.ts';
import { LineClient } from './line-client.ts';
import { type Running, type StartOptions, startPostern, waitFor } from './postern.ts';
import { POSTERN } from './whole-server.ts';

const PASSWORD = 'correct horse battery';
const ARRIVES_MS = 20_000;

export interface SideOptions {
  readonly domain: string;
  /** An address of 127/8. */
  readonly host: string;
  /** The port of SMTP on all sides. */
  readonly port: number;
  /** The local part of its user. */
  readonly name: string;
  /** `127.0.0.1:5353`. */
  readonly dns: string;
  /** More TOML. */
  readonly settings?: string;
  readonly env?: StartOptions['env'];
  /** Where the clock is shifted, start-up cannot be told from service. */
  readonly allowStalls?: boolean;
}

/** A running side, and what its user and its operator do there. */
export class Side {
  readonly running: Running;
  readonly domain: string;
  readonly user: string;
  readonly #options: StartOptions;

  constructor(running: Running, domain: string, user: string, options: StartOptions) {
    this.running = running;
    this.domain = domain;
    this.user = user;
    this.#options = options;
  }

  /** Starts it with its domain and its user. */
  static async start(given: SideOptions): Promise<Side> {
    const { domain, host, port, name, dns, settings, env = {}, allowStalls = false } = given;
    const config = `
myhostname = "mx.${domain}"
inet_interfaces = ["${host}"]
smtp_listen = ["${host}:${port}"]
submission_listen = []
submissions_listen = ["${host}:0"]
imap_listen = []
imaps_listen = ["${host}:0"]
pop3_listen = []
pop3s_listen = []
smtp_port = ${port}
smtp_allow_loopback_mx = true
resolver_addresses = ["${dns}"]
mynetworks = []
${settings ?? ''}
`;
    const options = { config, env, allowStalls };
    const side = new Side(await startPostern(options), domain, `${name}@${domain}`, options);
    await side.postern('domain', 'add', domain);
    const args = ['account', 'add', side.user, '--password-stdin', ...side.#flags()];
    const added = await run(POSTERN, args, { input: `${PASSWORD}\n` });
    assert.equal(added.code, 0, added.output);
    return side;
  }

  /** The same data, started again, in another environment when one is given. */
  async restarted(env: StartOptions['env'] = this.#options.env ?? {}): Promise<Side> {
    await this.running.stop();
    const options = { ...this.#options, env };
    const running = await startPostern({ ...options, folder: this.running.folder });
    return new Side(running, this.domain, this.user, options);
  }

  async remove(): Promise<void> {
    await this.running.stop();
    this.running.remove();
  }

  /** A command on its data; its output. */
  async postern(...words: string[]): Promise<string> {
    const { code, output } = await this.command(...words);
    assert.equal(code, 0, output);
    return output;
  }

  /** The same, however it ends. */
  command(...words: string[]): Promise<Finished> {
    return run(POSTERN, [...words, ...this.#flags()]);
  }

  /**
   * Submits by hand; returns the queue id of the 250. Without a subject the body is all there is,
   * without a header.
   */
  async submit(
    to: string,
    subject: string | undefined,
    more: { readonly rcpt?: string; readonly body?: string } = {},
  ): Promise<string> {
    const { body = 'hello\r\n', rcpt = '' } = more;
    const client = await this.#connect('submissions');
    await client.reply();
    await client.ask('EHLO desk.test');
    const plain = Buffer.from(`\0${this.user}\0${PASSWORD}`).toString('base64');
    assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
    assert.match(await client.ask(`MAIL FROM:<${this.user}>`), /^250/);
    assert.match(await client.ask(`RCPT TO:<${to}>${rcpt}`), /^250/);
    assert.match(await client.ask('DATA'), /^354/);
    const head = `From: ${this.user}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n`;
    await client.pour(subject === undefined ? body : head + body);
    const answer = await client.ask('.');
    client.close();
    assert.match(answer, /^250/);
    return /[0-9A-Z]{12,}/.exec(answer)?.[0] ?? '';
  }

  /** Waits until a message with the text is in the user's INBOX; returns the whole mailbox. */
  async arrives(text: string): Promise<string> {
    let found = '';
    const there = await waitFor(async () => {
      found = await this.inbox();
      return found.includes(text);
    }, ARRIVES_MS);
    assert.ok(there, `${text} did not arrive: ${found.slice(-3_000)}\n${this.running.output()}`);
    return found;
  }

  async inbox(): Promise<string> {
    const client = await this.#connect('imaps');
    await client.line();
    await client.tagged('a', `LOGIN ${this.user} "${PASSWORD}"`);
    await client.tagged('b', 'EXAMINE INBOX');
    const lines = await client.tagged('c', 'FETCH 1:* BODY.PEEK[]');
    client.close();
    return lines.join('\n');
  }

  /** What the ledger knows; the entry may still be on its way. */
  async trace(key: string): Promise<string> {
    let output = '';
    await waitFor(async () => {
      ({ output } = await this.command('trace', key));
      return !output.startsWith('postern:');
    }, 3_000);
    return output;
  }

  #connect(name: 'submissions' | 'imaps'): Promise<LineClient> {
    const { host, port } = this.running.ready.listeners[name] ?? assert.fail(`no ${name}`);
    return LineClient.connectTls(port, host);
  }

  #flags(): string[] {
    const { folder } = this.running;
    return ['--config', path.join(folder, 'postern.toml'), '--data', path.join(folder, 'data')];
  }
}
