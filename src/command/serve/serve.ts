/** The server from start to stop: settings to world, store, services and listeners, in order. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log, Metrics, World } from '#base/world.ts';
import { Failure } from '#base/failure.ts';
import { makeDirectory } from '#engine/directories.ts';
import type { Store } from '#store/store.ts';
import { stsRecordText } from '#trust/mta-sts/policy.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { signingKeys } from '../dkim/signing-keys.ts';
import type { Settings } from '../configuration/settings.ts';
import { demoDirectory } from '../environment.ts';
import { EXIT } from '../exit.ts';
import type { ExitStatus } from '../exit.ts';
import { systemLog } from '../observe/log.ts';
import type { Figures } from '../observe/metrics.ts';
import { demoAccounts, existing } from './accounts.ts';
import type { DemoAccount } from './accounts.ts';
import { demoBanner, serverBanner } from './banner.ts';
import type { BannerFacts } from './banner.ts';
import { certificateFiles, loadIdentity, misnamed, ownCertificates } from './certificates.ts';
import { DEMO_DOMAIN, DEMO_NAMES } from './demo.ts';
import { acmeFolder, makeRenewer, placeholder } from './acme.ts';
import { loadX509 } from './authority.ts';
import { Challenges } from './challenges.ts';
import { openHost } from './host.ts';
import { installationKey } from './installation.ts';
import { lockDirectory } from './lock.ts';
import type { Opened } from './opening.ts';
import { makeProtection } from './protection.ts';
import { ownStsPolicy, publicNames, startPublication } from './publication.ts';
import { writeReady } from './ready.ts';
import { listenForSignals } from './signals.ts';
import { openServerStore } from './store.ts';
import { signatureThread } from './signatures.ts';
import { machineAddresses, systemWorld } from './world.ts';

/** Runs until a signal; everything that can be wrong at the start is one line and a status. */
export async function runServer(context: Context): Promise<ExitStatus> {
  const { io } = context;
  const demo = (await context.configurationFile()) === undefined;
  const settings = await context.settings();
  const log = systemLog({
    level: settings.log_level,
    format: settings.log_format === 'auto' ? format(io.terminal || demo) : settings.log_format,
    colour: io.colour,
  });
  makeDirectory(settings.data_directory);
  const cleanups: (() => unknown)[] = [];
  const lock = lockDirectory(settings.data_directory);
  cleanups.push(() => lock.release());
  let running: Running | undefined;
  // Before anything is ready: whoever sees the ready file may send a signal at once.
  const stopping = listenForSignals({
    reload: () => running?.reload(),
    crashed: (thrown) => crashed(log, thrown),
  });
  try {
    if (!demo && settings.self_audit !== 'off') {
      const { enter } = await import('../rehearsal/entrance.ts');
      await enter(settings, log);
    }
    running = await start(context, { demo, settings, log }, cleanups);
    log.event('info', 'stopping', { signal: await stopping.asked });
    await running.stop();
    return EXIT.ok;
  } finally {
    await cleanUp(cleanups, log);
    if (running !== undefined) log.event('info', 'stopped');
    stopping.release();
  }
}

/** Everything is closed, the last opened first, whatever fails on the way. */
async function cleanUp(cleanups: readonly (() => unknown)[], log: Log): Promise<void> {
  for (const cleanup of cleanups.toReversed()) {
    try {
      await cleanup();
    } catch (thrown) {
      log.event('error', 'cleanup-failed', { reason: Failure.from(thrown).message });
    }
  }
}

interface Mode {
  readonly demo: boolean;
  readonly settings: Settings;
  readonly log: Log;
}

interface Running {
  reload(): void;
  stop(): Promise<void>;
}

async function start(context: Context, mode: Mode, cleanups: (() => unknown)[]): Promise<Running> {
  const { settings, log, demo } = mode;
  const figures = await startFigures(settings, cleanups);
  const metrics = figures ?? NO_METRICS;
  const world = systemWorld(settings, log, metrics);
  const opening = openServerStore(settings, log);
  cleanups.push(() => opening.then((store) => store.close(), NOTHING));
  // Side by side: at the first start certificates and passwords each cost tenths of a second.
  const [certificates, store, accounts] = await Promise.all([
    startCertificates(mode),
    opening,
    opening.then((store) => (demo ? startAccounts(store, world) : [])),
  ]);
  cleanups.push(certificates.identity.close);
  const signatures = signatureThread();
  cleanups.push(() => signatures.close());
  const outward = makeProtection(settings, world);
  cleanups.push(() => outward.close());
  const host = await openHost(
    {
      settings,
      world,
      store,
      tls: certificates.identity.identity,
      installationKey: installationKey(settings.data_directory, world.random),
      demo,
      signatures,
      keys: signingKeys(settings.data_directory, world.clock, log),
      ownAddresses: machineAddresses(),
      renew: certificates.renew,
      protection: outward.protection,
      reports: outward.reports,
    },
    cleanups,
  );
  figures?.onReading(async () => {
    const { messages, recipients } = await store.queue.size();
    figures.gauge('queue_messages', messages);
    figures.gauge('queue_recipients', recipients);
    figures.gauge('open_connections', host.door.open);
  });
  await publish({ settings, world, store, certificates }, cleanups);
  const { opened } = host;
  announce(context, mode, { opened, store, accounts, authority: certificates.authority });
  return { reload: certificates.reload, stop: () => host.stop() };
}

/** The web server, and what orders certificates over it. */
async function publish(
  parts: {
    readonly settings: Settings;
    readonly world: World;
    readonly store: Store;
    readonly certificates: Awaited<ReturnType<typeof startCertificates>>;
  },
  cleanups: (() => unknown)[],
): Promise<void> {
  const { settings, world, store, certificates } = parts;
  const challenges = new Challenges();
  const { identity: tls } = certificates.identity;
  const { directory } = store;
  await startPublication({ settings, directory, tls, challenges }, cleanups);
  const policy = ownStsPolicy(settings);
  if (policy !== undefined) {
    world.log.event('info', 'mta-sts-policy', { mode: policy.mode, record: stsRecordText(policy) });
  }
  const folder = acmeFolder(settings, false);
  if (folder === undefined) return;
  // A tenth of a second of loading: now, while nobody waits, not between two commands of somebody.
  await loadX509();
  const renewer = makeRenewer({
    settings,
    world,
    folder,
    challenges,
    names: () =>
      publicNames(
        settings,
        directory.domains().map(({ name }) => name),
      ),
    authority: certificates.authority,
    renewed: certificates.reload,
  });
  renewer.start();
  cleanups.push(() => renewer.stop());
}

async function startAccounts(store: Store, world: World): Promise<readonly DemoAccount[]> {
  return existing(store, await demoAccounts(store, world.random, world.clock.now()));
}

/** The banner and a log line, then the ready file: every listener is up by now. */
function announce(
  context: Context,
  { demo, settings, log }: Mode,
  up: {
    readonly opened: Opened;
    readonly store: Store;
    readonly accounts: readonly DemoAccount[];
    readonly authority: string | undefined;
  },
): void {
  const { io } = context;
  const domain = demo
    ? DEMO_DOMAIN
    : (up.store.directory.domains()[0]?.name ?? settings.myhostname);
  const checkout = existsSync(join(fileURLToPath(new URL('../../..', import.meta.url)), '.git'));
  const usual = demo && settings.data_directory === demoDirectory(io.env, existsSync);
  const facts: BannerFacts = {
    domain,
    ca: up.authority,
    accounts: up.accounts,
    listeners: up.opened.listeners,
    dataDirectory: settings.data_directory,
    tookMs: performance.now(),
    program: checkout ? 'npx postern' : 'postern',
    dataOption: usual ? '' : ` --data ${settings.data_directory}`,
  };
  if (demo) io.write(demoBanner(facts, io));
  else if (io.terminal) io.write(serverBanner(facts));
  if (!demo && up.store.directory.domains().length === 0) {
    log.event('warn', 'no-domain', { cure: 'postern domain add example.org' });
  }
  const listeners = up.opened.listeners.map(
    ({ row, places }) =>
      `${row.name} ${places.map(({ address, port }) => `${address}:${port}`).join(' ')}`,
  );
  log.event('info', 'ready', { domain, listeners, tookMs: Math.round(facts.tookMs) });
  // Last: whoever sees the file has everything else.
  const readyFile = option(context, 'ready-file');
  if (readyFile !== undefined) writeReady(readyFile, facts);
}

async function startFigures(
  settings: Settings,
  cleanups: (() => unknown)[],
): Promise<Figures | undefined> {
  if (settings.metrics_listen.length === 0) return undefined;
  // A twentieth of a second to load: only for those who look at figures.
  const { figures } = await import('../observe/metrics.ts');
  const { serveMetrics } = await import('../observe/endpoint.ts');
  const made = figures();
  for (const { host = '127.0.0.1', port } of settings.metrics_listen) {
    const endpoint = await serveMetrics(made, { host, port });
    cleanups.push(() => endpoint.close());
  }
  return made;
}

/** The operator's certificates, else our own, with what keeps them fresh. */
async function startCertificates({ settings, log, demo }: Mode) {
  const named = certificateFiles(settings).map(({ files }) => files);
  const names = demo ? DEMO_NAMES : [settings.myhostname];
  const directory = join(settings.data_directory, 'tls');
  const own = (): ReturnType<typeof ownCertificates> =>
    ownCertificates(directory, names, Date.now());
  const acme = acmeFolder(settings, demo);
  const made = named.length === 0 || acme !== undefined ? await own() : undefined;
  const ordered = acme && made ? [placeholder(acme, made.files)] : [];
  const usual =
    settings.smtpd_tls_cert_file === '' ? [...ordered, ...named] : [...named, ...ordered];
  const files = usual.length === 0 && made !== undefined ? [made.files] : usual;
  const told = (failure?: Failure): void => {
    if (failure === undefined)
      log.event('info', 'certificates-reloaded', { names: [...identity.names] });
    else log.event('error', 'certificates-kept', { reason: failure.message });
  };
  const identity = loadIdentity(files, { reloaded: told });
  for (const { host, file } of misnamed(settings)) {
    log.event('warn', 'certificate-for-other-names', { host, file });
  }
  if (made !== undefined && !demo && acme === undefined) {
    log.event('warn', 'own-certificate', {
      authority: made.authority,
      cure: 'set smtpd_tls_cert_file and smtpd_tls_key_file, or acme_directory',
    });
  }
  return {
    identity: { identity, close: () => identity.close() },
    authority: made?.authority,
    renew: async () => (made === undefined ? undefined : own()),
    reload: () => {
      try {
        identity.reload();
        told();
      } catch (thrown) {
        told(Failure.from(thrown));
      }
    },
  };
}

function format(forPeople: boolean): 'json' | 'text' {
  return forPeople ? 'text' : 'json';
}

function crashed(log: Log, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  log.event('error', 'crash', { message: error.message, stack: error.stack ?? '' });
}

/** A store that could not be opened is told by whoever waits for it. */
const NOTHING = (): undefined => undefined;

const NO_METRICS: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
};
