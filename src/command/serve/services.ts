/** Starts what answers on the listeners: one Accept for each protocol, and how to stop. */

import type { SmtpListener } from '#service/smtp/listener.ts';
import { serveSmtp } from '#service/smtp/serve.ts';
import type { Accept } from './door.ts';
import type { ListenerRow, ProtocolName } from './listeners.ts';
import { openGuards } from './limits.ts';
import { makeSending, type Protection } from './sending.ts';
import { type ReportSources, startReports } from './reports.ts';
import { imapAccept, pop3Accept } from './reading.ts';
import { sessionId } from './session-id.ts';
import { addressRules, makeSite } from './site.ts';
import type { SiteParts } from './site.ts';
import { smtpListener } from './smtp.ts';
import type { SmtpMode } from './smtp.ts';
import { requireTables } from './tables.ts';

export interface Services {
  /** Protocols that are missing here have no listener. */
  readonly accept: Readonly<Partial<Record<ProtocolName, Accept>>>;
  /** Ends what runs beside the sessions; a second call waits for the first. */
  stop(): Promise<void>;
}

export interface ServiceParts extends SiteParts {
  /** Other listeners than the settings say: a test that leaves a cure out; production has none. */
  readonly exchangeListener?: (listener: SmtpListener) => SmtpListener;
  /** The addresses of this host's interfaces: what an address literal of ours can name. */
  readonly ownAddresses: ReadonlySet<string>;
  /** Policies of other domains and the count of sessions; a simulation has none. */
  readonly protection?: Protection | undefined;
  /** What reports are made from; a simulation sends none. */
  readonly reports?: ReportSources | undefined;
}

/** Puts the services together; the listeners open afterwards. */
export async function startServices(parts: ServiceParts): Promise<Services> {
  const { settings, world, ownAddresses: own } = parts;
  const addresses = addressRules(settings, own);
  requireTables(settings);
  const { site, notifier } = makeSite({ ...parts, evaluated: counter(parts) }, addresses);
  const { queue, transfer } = makeSending({
    settings,
    world,
    store: parts.store,
    intake: site.intake,
    notify: notifier,
    ownAddresses: [...own],
    protection: parts.protection,
  });
  const guards = await openGuards(settings, parts.store, world);
  queue.start();
  const endReports = parts.reports && startReports(settings, world, site, parts.reports);
  let stopping: Promise<void> | undefined;
  const smtp = (mode: SmtpMode): Accept => {
    const listeners = new Map<string, ReturnType<typeof smtpListener>>();
    const of = (row: ListenerRow): ReturnType<typeof smtpListener> => {
      const known = listeners.get(row.name);
      if (known !== undefined) return known;
      const startTls = row.tls === 'starttls' && parts.tls !== undefined;
      const usual = smtpListener(mode, row.name, settings, {
        ...parts,
        addresses,
        guards,
        startTls,
      });
      const made = parts.exchangeListener?.(usual) ?? usual;
      listeners.set(row.name, made);
      return made;
    };
    return (connection, row, closed) =>
      serveSmtp(connection, of(row), site, sessionId(world.random), closed);
  };
  return {
    accept: {
      smtp: smtp('smtp'),
      submission: smtp('submission'),
      lmtp: smtp('lmtp'),
      imap: imapAccept(settings, site),
      pop3: pop3Accept(settings, site),
    },
    stop: () => {
      endReports?.();
      return (stopping ??= Promise.all([
        queue.stop().then(() => transfer.close()),
        guards.stop(),
      ]).then(() => undefined));
    },
  };
}

/** Nothing is counted where nothing will be reported. */
function counter({ settings, reports }: ServiceParts): SiteParts['evaluated'] {
  return settings.dmarc_report_from === undefined ? undefined : reports?.dmarc.counted;
}
