/** `postern doctor`: every check, told as a list with cures, as JSON, and as an exit status. */

import { Failure } from '#base/failure.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { publicAddresses } from '../addresses.ts';
import type { Context } from '../command.ts';
import { option, withStore } from '../command.ts';
import { AUDIT_EXIT, type ExitStatus } from '../exit.ts';
import { harmless, type Io, type Style, styled } from '../io.ts';
import { systemResolver } from '../serve/world.ts';
import { namedDomain, namedPlace } from '../subjects.ts';
import {
  type Diagnosis,
  type DoctorCheck,
  type DoctorGround,
  type Health,
  unknown,
} from './check.ts';
import * as registry from './checks/index.ts';

const CHECKS: readonly DoctorCheck[] = Object.values(registry);
const SMTP_PORT = 25;

/** 0: nothing is bad. 1: something is. 2: nothing is known to be bad, but something is unknown. */
export async function examine(context: Context): Promise<ExitStatus> {
  const addresses = publicAddresses(context);
  const reach = reachOf(context);
  const lists =
    option(context, 'dnsbl')
      ?.split(',')
      .map((zone) => namedDomain(zone.trim())) ?? [];
  const settings = await context.settings();
  const diagnoses = await withStore(context, async (store) => {
    const ground: DoctorGround = {
      settings,
      world: {
        clock: systemClock,
        network: tcpNetwork({ lingerMs: 100 }),
        resolver: systemResolver(settings),
      },
      directory: store.directory,
      queue: store.queue,
      addresses,
      reach,
      lists,
    };
    const all = await Promise.all(CHECKS.map((check) => safely(check, ground)));
    return all.flat();
  });
  const status = statusOf(diagnoses);
  if (context.json) {
    const plain = diagnoses.map((one) => ({ ...one, cure: one.cure ?? null }));
    context.io.write(`${JSON.stringify({ healthy: status === AUDIT_EXIT.pass, checks: plain })}\n`);
  } else context.io.write(listOf(diagnoses, context.io));
  return status;
}

/** A check that breaks says so: it is never silently good. */
async function safely(check: DoctorCheck, ground: DoctorGround): Promise<readonly Diagnosis[]> {
  try {
    return await check.run(ground);
  } catch (thrown) {
    const { message } = Failure.from(thrown);
    return [unknown(check.name, `could not be examined: ${message}`, 'Try again.')];
  }
}

function statusOf(diagnoses: readonly Diagnosis[]): ExitStatus {
  const has = (health: Health): boolean => diagnoses.some((one) => one.health === health);
  if (has('bad')) return AUDIT_EXIT.findings;
  return has('unknown') ? AUDIT_EXIT.inconclusive : AUDIT_EXIT.pass;
}

const MARKS: Readonly<Record<Health, readonly [word: string, style: Style]>> = {
  bad: ['bad    ', 'red'],
  unknown: ['unknown', 'yellow'],
  'could-be-better': ['better ', 'cyan'],
  good: ['good   ', 'green'],
};

function listOf(diagnoses: readonly Diagnosis[], io: Io): string {
  const order = Object.keys(MARKS) as Health[];
  const sorted = diagnoses.toSorted((a, b) => order.indexOf(a.health) - order.indexOf(b.health));
  const rows = sorted.map(({ about, health, seen, cure }) => {
    const [word, style] = MARKS[health];
    const line = `${styled(io, style, word)}  ${harmless(about, 200)}: ${harmless(seen, 400)}\n`;
    return cure === undefined ? line : `${line}         ${harmless(cure, 600)}\n`;
  });
  const count = (health: Health): number => diagnoses.filter((one) => one.health === health).length;
  const summary = `${count('good')} good, ${count('bad')} bad, ${count('unknown')} unknown`;
  return `${rows.join('')}\n${summary}\n`;
}

function reachOf(context: Context): DoctorGround['reach'] {
  const text = option(context, 'reach');
  if (text === undefined) return undefined;
  const { host, port } = namedPlace(text);
  return { host, port: port ?? SMTP_PORT };
}
