/** All probes: each group is a folder with a registry; a group is one line here. */

import type { Check } from '../check.ts';
import type { Probe } from '../probe.ts';
import * as fingerprint from './fingerprint/index.ts';
import * as hygiene from './hygiene/index.ts';
import * as injection from './injection/index.ts';
import * as limits from './limits/index.ts';
import * as parsing from './parsing/index.ts';
import * as plaintext from './plaintext/index.ts';
import * as posture from './posture/index.ts';
import * as relay from './relay/index.ts';
import * as tls from './tls/index.ts';
import * as smuggling from './smuggling/index.ts';
import * as users from './users/index.ts';

const GROUPS: readonly Readonly<Record<string, Probe>>[] = [
  fingerprint,
  plaintext,
  tls,
  injection,
  hygiene,
  posture,
  users,
  relay,
  smuggling,
  parsing,
  limits,
];

/** Every probe, in the order of the groups. */
export const PROBES: readonly Probe[] = GROUPS.flatMap((group) => Object.values(group));

/** Every check of these probes, each once, by id. */
export function checksOf(probes: readonly Probe[]): readonly Check[] {
  const all = new Map(probes.flatMap(({ checks }) => checks.map((check) => [check.id, check])));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
