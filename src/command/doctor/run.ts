/** `postern doctor`: every check, told as a list with cures, as JSON, and as an exit status. */

import { networkInterfaces } from 'node:os';
import { isIpv4, normalIpv6 } from '#base/domain.ts';
import { Failure } from '#base/failure.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import type { Context } from '../command.ts';
import { option, withStore } from '../command.ts';
import { AUDIT_EXIT, CommandError, EXIT, type ExitStatus } from '../exit.ts';
import { harmless, type Io, type Style, styled } from '../io.ts';
import { systemResolver } from '../serve/world.ts';
import { isPublicAddress } from '../setup/plan.ts';
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
      addresses: addressesOf(context),
      reach: reachOf(context),
      lists: option(context, 'dnsbl')?.split(',') ?? [],
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

function addressesOf(context: Context): readonly string[] {
  const given = option(context, 'address');
  if (given === undefined) {
    const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
    return all.map(({ address }) => address).filter((address) => isPublicAddress(address));
  }
  return given.split(',').map((text) => {
    const address = isIpv4(text.trim()) ? text.trim() : normalIpv6(text.trim());
    if (address !== undefined) return address;
    throw new CommandError(EXIT.data, `"${text}" is no IP address`, 'Write 192.0.2.1.');
  });
}

function reachOf(context: Context): DoctorGround['reach'] {
  const text = option(context, 'reach');
  if (text === undefined) return undefined;
  const [host = '', port] = text.split(':');
  return { host, port: port === undefined ? SMTP_PORT : Number(port) };
}
