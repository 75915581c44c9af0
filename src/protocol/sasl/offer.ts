/** Which mechanisms a TLS connection may use, the strongest first. */

import type { Secure } from '#base/secure.ts';
import type { Mechanism } from './mechanism.ts';
import * as registry from './mechanisms/index.ts';

const ALL: readonly Mechanism[] = Object.values(registry).sort(
  (a, b) => b.preference - a.preference,
);

/**
 * The mechanisms to announce, in the order to announce them: none without TLS, whatever the
 * configuration says. `allowed` narrows the choice by name; undefined allows all.
 */
export function offeredMechanisms(
  secure: Secure | undefined,
  allowed?: readonly string[],
): readonly Mechanism[] {
  if (secure === undefined) return [];
  return ALL.filter(
    (one) => (allowed === undefined || allowed.includes(one.name)) && one.available(secure),
  );
}

/** A mechanism by the name a client sent (any case), if it is offered. */
export function findMechanism(name: string, offered: readonly Mechanism[]): Mechanism | undefined {
  const upper = name.toUpperCase();
  return offered.find((one) => one.name === upper);
}
