/** The servers of the test internet, and letters from three of ours to all of them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testCertificate } from '../certificates.ts';
import type { DnsServer, ZoneEntry } from '../dns-server.ts';
import { type PolicyHost, startPolicyHost } from '../policy-host.ts';
import { waitFor } from '../postern.ts';
import { type Sink, startSink } from '../smtp-sink.ts';
import { HOME, Target } from '../stranger.ts';
import { OUTBOUND, type OutboundEnd } from './outbound.ts';
import { AUTHORITY, type OutboundScene, type Sender } from './servers.ts';

const END_MS = 30_000;
const AT_A_TIME = 4;

interface Domain {
  readonly scene: OutboundScene;
  readonly end: OutboundEnd;
}

/** Everything was sent, and either ended as the table says or had its time. */
export class Outside {
  readonly domains: ReadonlyMap<string, Domain>;
  readonly #targets: ReadonlyMap<Sender, Target>;
  readonly #sinks: ReadonlyMap<string, Sink>;
  readonly #policies: PolicyHost;
  readonly #folder: string;
  #stories: readonly string[] = [];
  #bounces = '';

  private constructor(parts: {
    readonly domains: ReadonlyMap<string, Domain>;
    readonly targets: ReadonlyMap<Sender, Target>;
    readonly sinks: ReadonlyMap<string, Sink>;
    readonly policies: PolicyHost;
    readonly folder: string;
  }) {
    this.domains = parts.domains;
    this.#targets = parts.targets;
    this.#sinks = parts.sinks;
    this.#policies = parts.policies;
    this.#folder = parts.folder;
  }

  static async start(): Promise<Outside> {
    const first = await startSink({ host: '127.0.3.1' });
    const { port } = first;
    const domains = new Map<string, Domain>();
    const zone: Record<string, ZoneEntry> = {};
    const sinks = new Map([['', first]]);
    for (const [domain, end] of ends()) {
      const address = `127.0.3.${domains.size + 2}`;
      const scene = end.scene(domain, { address, port });
      domains.set(domain, { scene, end });
      const usual = {
        [domain]: { mx: [[10, `mx.${domain}`]] as const },
        [`mx.${domain}`]: { a: [address] },
      };
      Object.assign(zone, usual, scene.zone);
      if (scene.server === undefined) continue;
      sinks.set(domain, await startSink({ ...scene.server, host: address, port }));
    }
    const policies = await startPolicies(domains);
    const folder = mkdtempSync(path.join(tmpdir(), 'postern-internet-'));
    const settings = settingsIn(folder, port, policies.port);
    const started = (Object.keys(settings) as Sender[]).map(async (sender) => {
      const more = ({ server }: DnsServer): string =>
        `${settings[sender]}\nresolver_validating = ["${server}"]`;
      return [sender, await Target.start(zone, more, ['ann'])] as const;
    });
    const targets = new Map(await Promise.all(started));
    const outside = new Outside({ domains, targets, sinks, policies, folder });
    try {
      await outside.#send();
      await waitFor(() => outside.#hasEnded(), END_MS);
    } catch (thrown) {
      await outside.stop();
      throw thrown;
    }
    return outside;
  }

  /** `leaked`: a server got what only a server that proves itself may get. */
  endOf(domain: string): string {
    const story = this.storyOf(domain);
    const got = this.#sinks.get(domain)?.messages.length ?? 0;
    if (/"kind":"delivered"/.test(story)) return got > 0 ? 'delivered' : 'lost';
    if (got > 0 && isGuarded(this.domains.get(domain)?.scene)) return 'leaked';
    const name = domain.replaceAll('.', String.raw`\.`);
    const told = new RegExp(String.raw`^Final-Recipient: rfc822; ?joe@${name}\r?$`, 'm');
    if (told.test(this.#bounces)) return 'bounced';
    return /"kind":"deferred"/.test(story) ? 'waits' : 'under way';
  }

  /** What the ledger says of the letter to a domain, as JSON. */
  storyOf(domain: string): string {
    return this.#stories.filter((line) => line.includes(`joe@${domain}"`)).join('\n');
  }

  async stop(): Promise<void> {
    const servers = [...this.#targets.values(), this.#policies].map((one) =>
      'stop' in one ? one.stop() : one.close(),
    );
    await Promise.all([...[...this.#sinks.values()].map((one) => one.close()), ...servers]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #send(): Promise<void> {
    const waiting = [...this.domains];
    const workers = Array.from({ length: AT_A_TIME }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [domain, { scene }] = next;
        const target = this.#targets.get(scene.from ?? 'usual');
        const message = `From: ann@${HOME}\r\nSubject: to ${domain}\r\n\r\nhello`;
        const said = await target?.submit('ann', `joe@${domain}`, message, 'ann', scene.parameters);
        if (said?.startsWith('250') !== true) throw new Error(`${domain}: ${said}`);
      }
    });
    await Promise.all(workers);
  }

  /** Whether all is as the table says; what is not by now may be later. */
  async #hasEnded(): Promise<boolean> {
    await this.#look();
    return [...this.domains].every(
      ([domain, { end }]) => this.endOf(domain) === end.ends && end.why.test(this.storyOf(domain)),
    );
  }

  async #look(): Promise<void> {
    const targets = [...this.#targets.values()];
    const stories = await Promise.all(targets.map((one) => one.trace(`ann@${HOME}`, '--json')));
    this.#stories = stories.flatMap((story) => story.split('\n'));
    this.#bounces = (await Promise.all(targets.map((one) => one.mailbox()))).join('\r\n');
  }
}

/** The host that answers for the MTA-STS policies of all of them. */
async function startPolicies(domains: ReadonlyMap<string, Domain>): Promise<PolicyHost> {
  const names = [...domains.keys()].map((domain) => `mta-sts.${domain}`);
  const policies = await startPolicyHost(testCertificate({ names, issuer: AUTHORITY }));
  for (const [domain, { scene }] of domains) {
    if (scene.sts !== undefined) policies.answers.set(`mta-sts.${domain}`, { body: scene.sts });
  }
  return policies;
}

/** How the three of ours are set up. */
function settingsIn(
  folder: string,
  smtpPort: number,
  policyPort: number,
): Readonly<Record<Sender, string>> {
  const authorities = path.join(folder, 'ca.pem');
  writeFileSync(authorities, AUTHORITY.certificate);
  const common = `
smtp_port = ${smtpPort}
smtp_tls_ca_file = "${authorities}"
smtp_tls_mta_sts_port = ${policyPort}
minimal_backoff_time = "1s"
maximal_backoff_time = "2s"
`;
  const lax = 'smtp_tls_security_level = "may"\nsmtp_tls_mta_sts = false';
  return {
    usual: `${common}smtp_allow_loopback_mx = true`,
    strict: `${common}smtp_allow_loopback_mx = false`,
    lax: `${common}smtp_allow_loopback_mx = true\n${lax}`,
  };
}

/** Whether its DNS or its letter asks for a server that proves itself. */
function isGuarded(scene: OutboundScene | undefined): boolean {
  const names = Object.keys(scene?.zone ?? {});
  return scene?.sts !== undefined || names.some((name) => name.includes('._tcp.'));
}

function* ends(): Generator<readonly [domain: string, end: OutboundEnd]> {
  for (const { name, control, ...row } of OUTBOUND) {
    yield [`${name}.test`, row];
    yield [`${name}-c.test`, control];
  }
}
