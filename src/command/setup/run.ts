/** `postern setup`: each step is done if it is not done yet, and told; a second run changes nothing. */

import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Domain } from '#base/brand.ts';
import { isIpv4 } from '#base/domain.ts';
import { makeDirectory } from '#engine/directories.ts';
import type { Directory } from '#store/directory.ts';
import type { Store } from '#store/store.ts';
import { publicAddresses } from '../addresses.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import { loadConfiguration, DEFAULT_FILE } from '../configuration/load.ts';
import type { Settings } from '../configuration/settings.ts';
import { listKeys, writeKey } from '../dkim/key-files.ts';
import { freeSelector, newKey, recordOf } from '../dkim/steps.ts';
import { CommandError, EXIT, explain } from '../exit.ts';
import { writeWhole } from '../files.ts';
import { columns, styled } from '../io.ts';
import { generated } from '../password.ts';
import { openEngine } from '../serve/store.ts';
import { namedAddress, namedDomain, namedKey, noSuchDomain } from '../subjects.ts';
import type { SetupPlan } from './plan.ts';
import { type DnsRecord, recordsFor, zoneText } from './records.ts';
import { configurationText, containerText, serviceUnit, socketUnit } from './texts.ts';

/** What was done, in order; `done` false: it was there already. */
interface Step {
  readonly done: boolean;
  readonly what: string;
}

interface Outcome {
  readonly steps: readonly Step[];
  readonly password: string | undefined;
  readonly records: readonly DnsRecord[];
}

const RSA_BITS = 2_048;

/** Runs all steps, then tells the records to publish. */
export async function setUp(context: Context): Promise<void> {
  const plan = planOf(context);
  const steps: Step[] = [configure(plan)];
  const loaded = loadConfiguration(plan.configuration, context.io.env).settings;
  const whole = agreed(plan, context, loaded);
  const settings = { ...loaded, data_directory: whole.dataDirectory };
  makeDirectory(whole.dataDirectory);
  const store = await openEngine(settings);
  let password: string | undefined;
  try {
    steps.push(await signingKey(whole, context.now()), ...extraFiles(context, whole));
    // Last of all that may fail: a password is told now or never.
    password = await people(store, whole, context.now(), steps);
  } finally {
    await store.close();
  }
  const records = recordsOf(whole, settings, context.now());
  tell(context, { steps, password, records });
}

function planOf(context: Context): SetupPlan {
  const domain = fullName(argument(context, 'domain'));
  const addresses = publicAddresses(context);
  const account = option(context, 'account');
  const data = option(context, 'data');
  return {
    domain,
    hostname: fullName(option(context, 'hostname') ?? `mail.${domain}`),
    ipv4: addresses.filter(isIpv4),
    ipv6: addresses.filter((address) => !isIpv4(address)),
    account: account && namedKey(account.includes('@') ? account : `${account}@${domain}`),
    configuration: resolve(option(context, 'config') ?? DEFAULT_FILE),
    dataDirectory: data === undefined ? '/var/lib/postern' : resolve(data),
  };
}

/** Mail between hosts needs names of the DNS, with at least one dot. */
function fullName(text: string): Domain {
  const name = namedDomain(text);
  if (name.includes('.')) return name;
  throw new CommandError(EXIT.data, `"${text}" is no full name`, 'Write it like example.org.');
}

/** The plan as the configuration has it: at a second run, and for a second domain, it is there. */
function agreed(plan: SetupPlan, context: Context, settings: Settings): SetupPlan {
  const { configuration, hostname } = plan;
  if (context.options.has('hostname') && settings.myhostname !== hostname) {
    const cure = `Leave out --hostname, or change myhostname in ${configuration}.`;
    throw new CommandError(EXIT.data, `this server is called ${settings.myhostname}`, cure);
  }
  return {
    ...plan,
    hostname: namedDomain(settings.myhostname),
    dataDirectory: context.options.has('data') ? plan.dataDirectory : settings.data_directory,
  };
}

/** The file as it is when there is one: what somebody wrote is not written over. */
function configure(plan: SetupPlan): Step {
  const { configuration } = plan;
  if (existsSync(configuration)) return { done: false, what: `the configuration ${configuration}` };
  try {
    // The data first: a file that leads to nowhere would be in the way of the next try.
    makeDirectory(plan.dataDirectory);
    makeDirectory(dirname(configuration), 0o755);
    writeWhole(configuration, configurationText(plan));
  } catch (error) {
    const known = explain(error);
    if (known?.exit !== EXIT.noPermission) throw error;
    const cure = 'Become root, or name places that you may write to: --config, --data.';
    throw new CommandError(known.exit, known.message, cure, error);
  }
  return { done: true, what: `the configuration ${configuration}` };
}

/** Domain, first account, and the names that every domain must have (RFC 5321 4.5.1, RFC 2142). */
async function people(
  store: Store,
  { domain, account: named }: SetupPlan,
  nowMs: number,
  steps: Step[],
): Promise<string | undefined> {
  const { directory } = store;
  const account = named ?? firstAccount(directory, domain) ?? `admin@${domain}`;
  const at = namedAddress(account).domain;
  if (at !== domain && directory.domain(at) === undefined) throw noSuchDomain(directory, at);
  const hasDomain = directory.domain(domain) !== undefined;
  if (!hasDomain) await store.write('addDomain', { name: domain });
  steps.push({ done: !hasDomain, what: `the domain ${domain}` });
  let password: string | undefined;
  const hasAccount = directory.account(account) !== undefined;
  if (!hasAccount) {
    const chosen = await generated();
    password = chosen.generated.reveal();
    const { credentials } = chosen;
    const { result } = await store.write('addAccount', { address: account, credentials, nowMs });
    if (result.kind !== 'added') {
      const cure = `Remove it: \`postern alias remove ${account}\`, or name another --account.`;
      throw new CommandError(EXIT.cannotCreate, `${account} is taken by an alias`, cure);
    }
  }
  steps.push({ done: !hasAccount, what: `the account ${account}` });
  for (const name of ['postmaster', 'abuse']) {
    const address = `${name}@${domain}`;
    const there =
      directory.account(address) !== undefined || directory.alias(address) !== undefined;
    if (!there) await store.write('setAlias', { address, targets: [account] });
    steps.push({ done: !there, what: `the alias ${address}` });
  }
  return password;
}

/** Without --account: who is there already. A second run makes nobody new. */
function firstAccount(directory: Directory, domain: Domain): string | undefined {
  const target = directory.alias(`postmaster@${domain}`)?.targets[0];
  const of = directory.accounts().find(({ address }) => address.endsWith(`@${domain}`));
  return target ?? of?.address;
}

async function signingKey(plan: SetupPlan, nowMs: number): Promise<Step> {
  const { domain, dataDirectory } = plan;
  const keys = listKeys(dataDirectory, domain);
  const signing = keys.find(({ state }) => state !== 'retired');
  if (signing !== undefined) return { done: false, what: `the DKIM key ${signing.selector}` };
  const selector = freeSelector(
    keys.map((key) => key.selector),
    'rsa-sha256',
    nowMs,
  );
  const options = { algorithm: 'rsa-sha256', bits: RSA_BITS, state: 'signing', nowMs } as const;
  writeKey(dataDirectory, await newKey(domain, selector, options));
  return { done: true, what: `the DKIM key ${selector}` };
}

/** Files on request; never over another. */
function extraFiles(context: Context, plan: SetupPlan): readonly Step[] {
  const program = fileURLToPath(new URL('../../../bin/postern', import.meta.url));
  const wanted: [option: string, name: string, text: string][] = [
    ['systemd', 'postern.service', serviceUnit({ program, plan })],
    ['systemd', 'postern.socket', socketUnit()],
    ['container', 'Containerfile', containerText()],
  ];
  return wanted.flatMap(([name, file, text]): Step[] => {
    const folder = option(context, name);
    if (folder === undefined) return [];
    const path = join(resolve(folder), file);
    if (existsSync(path)) return [{ done: false, what: path }];
    writeWhole(path, text);
    return [{ done: true, what: path }];
  });
}

/** The records of a domain as its server stands now: also what `postern doctor` expects. */
export function recordsOf(
  plan: Pick<SetupPlan, 'domain' | 'hostname' | 'ipv4' | 'ipv6' | 'dataDirectory'>,
  settings: Settings,
  nowMs: number,
): readonly DnsRecord[] {
  const keys = listKeys(plan.dataDirectory, plan.domain as Domain)
    .filter(({ state }) => state !== 'retired')
    .map((key) => recordOf(key));
  const authority = /letsencrypt\.org/.test(settings.acme_directory) ? ['letsencrypt.org'] : [];
  return recordsFor({
    plan,
    keys,
    servesPolicy: settings.https_listen.length > 0 && settings.mta_sts_mode !== 'none',
    policyId: new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', ''),
    tlsaDigest: publicKeyDigest(settings.smtpd_tls_cert_file),
    authorities: authority,
  });
}

/** For DANE `3 1 1` (RFC 7671 5.1): of a certificate file that the operator keeps. */
function publicKeyDigest(file: string): string | undefined {
  if (file === '' || !existsSync(file)) return undefined;
  try {
    const { publicKey } = new X509Certificate(readFileSync(file));
    const octets = publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(octets).digest('hex');
  } catch {
    return undefined;
  }
}

function tell(context: Context, { steps, password, records }: Outcome): void {
  const { io } = context;
  if (context.json) {
    io.write(`${JSON.stringify({ steps, password: password ?? null, records })}\n`);
    return;
  }
  if (context.options.has('zone')) {
    if (password !== undefined) io.warn(`password of the first account: ${password}\n`);
    io.write(zoneText(records));
    return;
  }
  for (const { done, what } of steps) {
    io.write(done ? `${styled(io, 'green', 'made')}   ${what}\n` : `there  ${what}\n`);
  }
  if (password !== undefined) {
    io.write(`\nThe password of the first account, shown only now:\n\n    ${password}\n`);
  }
  io.write('\nPublish these records (--zone prints them for a zone file):\n\n');
  io.write(
    columns(
      records.map(({ name, type, value, need, why }) => [need, name, type, shortened(value), why]),
    ),
  );
  if (!records.some(({ type }) => type === 'A' || type === 'AAAA')) {
    io.write('\nNo public address was found here: name it with --address, for the A record.\n');
  }
  io.write('\nAsk your provider for the PTR record of the address: it must be the host name.\n');
  io.write('Then: `postern serve`, and `postern doctor` to see what is missing.\n');
}

function shortened(value: string): string {
  return value.length > 60 ? `${value.slice(0, 57)}...` : value;
}
