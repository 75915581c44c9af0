/** The machine: port 25 outwards, clock, disk, resolver, block lists. */

import { existsSync, statfsSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import { isIpv4 } from '#base/domain.ts';
import { Dialogue } from '#protocol/smtp/client/dialogue.ts';
import { bad, better, type Diagnosis, type DoctorCheck, good, unknown } from '../check.ts';

const TIMEOUT_MS = 10_000;

export const outbound: DoctorCheck = {
  name: 'outbound',
  run: async ({ reach, world, settings }) => {
    if (reach === undefined) {
      if (settings.relayhost !== undefined) {
        return [good('outbound', 'mail leaves by relayhost, port 25 is not needed')];
      }
      const cure =
        'Name a mail server that you may connect to: postern doctor --reach mx.example.org';
      return [unknown('outbound', 'port 25 to the outside was not tried', cure)];
    }
    const about = `outbound ${reach.host} port ${reach.port}`;
    const answer = isIpv4(reach.host)
      ? ({ kind: 'found', records: [reach.host] } as const)
      : await world.resolver.a(reach.host);
    const address = answer.kind === 'found' ? answer.records[0] : undefined;
    if (address === undefined) return [unknown(about, 'has no address', 'Name another host.')];
    try {
      const where = { address, port: reach.port, timeoutMs: TIMEOUT_MS };
      const dialogue = await Dialogue.connect(world.network, where, { clock: world.clock });
      const { code } = await dialogue.reply(TIMEOUT_MS);
      dialogue.destroy();
      return [good(about, `answers ${code}`)];
    } catch (thrown) {
      const cure = 'Ask your provider to open port 25, or set relayhost.';
      return [bad(about, Failure.from(thrown).message, cure)];
    }
  },
};

/** Signed long before any release of this program. */
const RELEASED_MS = Date.UTC(2026, 0, 1);

export const clock: DoctorCheck = {
  name: 'clock',
  run: async ({ world }) => {
    const cure = 'Switch on time synchronisation: timedatectl set-ntp true, or install chrony.';
    if (world.clock.now() < RELEASED_MS) return [bad('clock', 'the clock is years behind', cure)];
    const marks = [
      '/run/systemd/timesync/synchronized',
      '/run/chrony/chronyd.pid',
      '/run/ntpd.pid',
    ];
    const mark = marks.find((file) => existsSync(file));
    if (mark !== undefined) return [good('clock', `is kept in time (${mark})`)];
    return [unknown('clock', 'nothing here tells that the clock is kept in time', cure)];
  },
};

const LOW = 0.1;

export const disk: DoctorCheck = {
  name: 'disk',
  run: async ({ settings }) => {
    const folder = settings.data_directory;
    const { bavail, blocks, bsize, ffree, files } = statfsSync(folder);
    const free = bavail * bsize;
    const shown = `${Math.round(free / 1_048_576)} MiB are free in ${folder}`;
    const cure = 'Make room, or move data_directory to a larger disk.';
    if (free < settings.queue_minfree) return [bad('disk', `${shown}: mail is refused`, cure)];
    if (files > 0 && ffree === 0) return [bad('disk', 'no inode is free', cure)];
    return [bavail < blocks * LOW ? better('disk', shown, cure) : good('disk', shown)];
  },
};

export const resolver: DoctorCheck = {
  name: 'resolver',
  run: async ({ settings, world }) => {
    const answer = await world.resolver.txt('org');
    if (answer.kind === 'failed') {
      const cure = 'Set resolver_addresses to name servers that answer.';
      return [bad('resolver', `the DNS does not answer: ${answer.reason}`, cure)];
    }
    if (settings.resolver_validating.length === 0) {
      const cure =
        'Run a validating resolver on this machine (unbound), and name it in resolver_addresses ' +
        'and resolver_validating.';
      return [better('resolver', 'answers, but none is believed to be validated: no DANE', cure)];
    }
    if (!answer.authentic) {
      const cure = 'Switch DNSSEC validation on in it, or take it out of resolver_validating.';
      return [bad('resolver', 'is listed as validating and does not validate', cure)];
    }
    return [good('resolver', 'answers, and validates')];
  },
};

export const blocklists: DoctorCheck = {
  name: 'blocklists',
  run: async ({ settings, world, addresses, lists }) => {
    const named = [
      ...settings.smtpd_client_restrictions,
      ...settings.smtpd_recipient_restrictions,
    ].flatMap((text) => /\breject_rbl_client\s+([a-z0-9.-]+)/i.exec(text)?.[1] ?? []);
    const zones = [...new Set([...lists, ...named])];
    if (zones.length === 0) {
      const cure = 'Name lists: postern doctor --dnsbl zone,zone';
      return [unknown('blocklists', 'no list was asked', cure)];
    }
    const found: Diagnosis[] = [];
    for (const ip of addresses.filter(isIpv4)) {
      for (const zone of zones) {
        const name = `${ip.split('.').toReversed().join('.')}.${zone}`;
        found.push(listed(ip, zone, await world.resolver.a(name)));
      }
    }
    return found;
  },
};

/** 127.255.255.x is how lists say that they were asked in a way they do not answer. */
function listed(
  ip: string,
  zone: string,
  answer: Awaited<ReturnType<Parameters<DoctorCheck['run']>[0]['world']['resolver']['a']>>,
): Diagnosis {
  const about = `blocklists ${ip} ${zone}`;
  if (answer.kind === 'failed') return unknown(about, answer.reason, 'Try again later.');
  if (answer.kind === 'none') return good(about, 'is not listed');
  const code = answer.records[0] ?? '';
  if (!code.startsWith('127.') || code.startsWith('127.255.255.')) {
    return unknown(about, `answers ${code}`, 'Ask it through a resolver of your own.');
  }
  return bad(about, `is listed (${code})`, `Look ${ip} up at the operator of ${zone}.`);
}
