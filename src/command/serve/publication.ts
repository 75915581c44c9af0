/** What is answered over HTTP: the MTA-STS policy of local domains, and ACME challenges. */

import { parseDomain } from '#base/domain.ts';
import type { TlsIdentity } from '#base/world.ts';
import type { HttpAnswer, HttpQuestion } from '#network/http/server.ts';
import type { Directory } from '#store/directory.ts';
import { formatStsPolicy, type StsPolicy } from '#trust/mta-sts/policy.ts';
import type { ListenPlace } from '../configuration/hosts.ts';
import type { Settings } from '../configuration/settings.ts';
import { placeHosts } from './listeners.ts';
import type { Challenges } from './challenges.ts';

const POLICY_PATH = '/.well-known/mta-sts.txt';
const POLICY_HOST = 'mta-sts.';

export interface PublicationParts {
  readonly settings: Settings;
  readonly directory: Pick<Directory, 'domain'>;
  readonly tls: TlsIdentity;
  readonly challenges: Challenges;
}

/** Opens http_listen and https_listen; each way to close goes to `cleanups` at once. */
export async function startPublication(
  parts: PublicationParts,
  cleanups: (() => unknown)[],
): Promise<void> {
  const { settings, tls: identity, challenges } = parts;
  if (settings.http_listen.length + settings.https_listen.length === 0) return;
  // Loaded for those who publish: HTTP in Node brings along a client and HTTP/2.
  const { serveHttp } = await import('#network/http/server.ts');
  const open = async (place: ListenPlace, secure: boolean): Promise<void> => {
    for (const host of placeHosts(settings, place)) {
      const server = await serveHttp({
        host,
        port: place.port,
        ...(secure ? { tls: { identity, proof: (name) => challenges.proof(name) } } : {}),
        answer: (question) =>
          secure ? policyAnswer(question, parts) : challenges.answer(question),
      });
      cleanups.push(() => server.close());
    }
  };
  for (const place of settings.http_listen) await open(place, false);
  for (const place of settings.https_listen) await open(place, true);
}

/** The policy of our own domains, the same for all; undefined: none is published. */
export function ownStsPolicy(settings: Settings): StsPolicy | undefined {
  const { mta_sts_mode: mode, mta_sts_max_age: maxAgeMs, mta_sts_mx: mx, myhostname } = settings;
  if (mode === 'none' || settings.https_listen.length === 0) return undefined;
  return { mode, maxAgeSeconds: maxAgeMs / 1_000, mx: mx.length === 0 ? [myhostname] : mx };
}

/** Which names a certificate of ours needs. */
export function publicNames(settings: Settings, domains: readonly string[]): readonly string[] {
  if (settings.acme_names.length > 0) return settings.acme_names;
  const hosts = ownStsPolicy(settings) === undefined ? [] : domains.map((one) => POLICY_HOST + one);
  return [...new Set([settings.myhostname, ...hosts])].slice(0, 100);
}

function policyAnswer(
  { host, path }: HttpQuestion,
  { settings, directory }: PublicationParts,
): HttpAnswer | undefined {
  const policy = ownStsPolicy(settings);
  if (path !== POLICY_PATH || policy === undefined || !host.startsWith(POLICY_HOST)) {
    return undefined;
  }
  const domain = parseDomain(host.slice(POLICY_HOST.length));
  if (domain === undefined || directory.domain(domain) === undefined) return undefined;
  return { status: 200, type: 'text/plain; charset=utf-8', body: formatStsPolicy(policy) };
}
