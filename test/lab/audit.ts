/** One run of `postern audit` as a user starts it, against one server of the lab. */

import path from 'node:path';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import type { Report } from '#audit/report.ts';
import { run } from '../interop/tools.ts';
import { isJudged } from './matrix.ts';
import type { Case } from './profile.ts';
import { DOMAIN, PASSWORD, USERS } from './root.ts';

/** A stranger: no server of the lab trusts it. */
export const STRANGER = '127.66.0.1';
const STRANGER6 = 'fd00:66::1';
/** Names to try; those of people with a mailbox are among them. */
export const NAMES = Array.from({ length: 40 }, (_, at) => USERS[(at - 5) / 10] ?? `nobody${at}`);

const POSTERN = path.join(import.meta.dirname, '../../bin/postern');

export interface Audited {
  readonly report: Report;
  readonly ms: number;
}

export async function auditCase(
  one: Case,
  place: {
    readonly address: string;
    readonly names: string;
    readonly config: string | undefined;
    /** A file with the lab's own authority. */
    readonly root: string;
  },
  canary: { readonly domain: string; readonly address: string },
): Promise<Audited> {
  const startMs = performance.now();
  const { output } = await run(
    POSTERN,
    [
      'audit',
      place.address,
      `--source=${place.address.includes(':') ? STRANGER6 : STRANGER}`,
      `--level=${one.level}`,
      ...(one.server === 'dns' ? [] : [`--domain=${DOMAIN}`, `--names=${place.names}`]),
      '--resolver=127.0.0.1',
      `--skip=${skipped(one)}`,
      '--json',
      ...(one.level === 'safe' || one.level === 'passive'
        ? []
        : ['--canary', `${canary.domain}=${canary.address}:25`]),
      ...(place.config === undefined ? [] : ['--config', place.config]),
      ...one.options,
    ],
    { timeoutMs: 200_000, env: { POSTERN_PASSWORD: PASSWORD, NODE_EXTRA_CA_CERTS: place.root } },
  );
  const ms = performance.now() - startMs;
  const begin = output.indexOf('{');
  try {
    return { report: JSON.parse(output.slice(begin)) as Report, ms };
  } catch {
    throw new Error(`${one.id}: the auditor said no JSON: ${output.slice(0, 2_000)}`);
  }
}

/** Groups that no profile speaks of would cost time alone. */
function skipped(one: Case): string {
  const checks = checksOf(PROBES).map(({ id }) => id);
  const groups = new Set(checks.map((id) => id.split('.', 1)[0] ?? ''));
  const judged = new Set(checks.filter((id) => isJudged(one, id)).map((id) => id.split('.', 1)[0]));
  return [...groups].filter((group) => !judged.has(group)).join();
}
