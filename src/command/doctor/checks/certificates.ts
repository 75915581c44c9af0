/** The certificate of every port, as a client outside sees it. */

import { X509Certificate } from 'node:crypto';
import { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import { Dialogue } from '#protocol/smtp/client/dialogue.ts';
import { fromHere } from '../../configuration/loopback.ts';
import { type ListenerRow, listenerRows } from '../../serve/listeners.ts';
import {
  bad,
  better,
  type Diagnosis,
  type DoctorCheck,
  type DoctorGround,
  good,
} from '../check.ts';

const TIMEOUT_MS = 5_000;
const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

export const certificates: DoctorCheck = {
  name: 'certificates',
  run: async (ground) => {
    const rows = listenerRows(ground.settings).filter(({ name }) => name !== 'lmtp');
    return Promise.all(rows.map((row) => look(row, ground)));
  },
};

async function look(row: ListenerRow, ground: DoctorGround): Promise<Diagnosis> {
  const address = fromHere(row.hosts[0] ?? '127.0.0.1');
  const about = `certificates ${row.name} port ${row.port}`;
  try {
    const secure = await handshake(row, address, ground);
    if (secure === 'in-clear') return good(about, 'answers; STARTTLS has the same certificate');
    return judge(about, secure, ground);
  } catch (thrown) {
    const { code, message } = Failure.from(thrown);
    const cure =
      code === 'connection-refused'
        ? 'Start the server: postern serve.'
        : 'Look into the log, and at smtpd_tls_cert_file.';
    return bad(about, message, cure);
  }
}

/** IMAP and POP3 with STARTTLS use the identity of their ports with TLS: answering is enough. */
async function handshake(
  { protocol, tls, port }: ListenerRow,
  address: string,
  { world, settings }: DoctorGround,
): Promise<Secure | 'in-clear'> {
  const where = { address, port, timeoutMs: TIMEOUT_MS };
  const options = {
    serverName: settings.myhostname,
    verify: 'opportunistic',
    handshakeMs: TIMEOUT_MS,
  } as const;
  if (tls === 'implicit') {
    const connection = await world.network.connect(where);
    try {
      return await connection.startTls({ side: 'client', ...options });
    } finally {
      connection.destroy();
    }
  }
  if (protocol !== 'smtp' && protocol !== 'submission') {
    const connection = await world.network.connect(where);
    connection.destroy();
    return 'in-clear';
  }
  const dialogue = await Dialogue.connect(world.network, where, { clock: world.clock });
  try {
    await dialogue.reply(TIMEOUT_MS);
    await dialogue.command(`EHLO ${settings.myhostname}`, TIMEOUT_MS);
    const { code, lines } = await dialogue.command('STARTTLS', TIMEOUT_MS);
    if (code !== 220) {
      throw Failure.permanent('no-starttls', `STARTTLS is answered ${code} ${lines[0] ?? ''}`);
    }
    return await dialogue.startTls(options);
  } finally {
    dialogue.destroy();
  }
}

function judge(about: string, secure: Secure, { world, settings }: DoctorGround): Diagnosis {
  const { peer, peerCertificates } = secure.facts;
  const own = peerCertificates?.[0];
  const certificate = own === undefined ? undefined : new X509Certificate(own);
  const cure = 'Set acme_directory, or smtpd_tls_cert_file and smtpd_tls_key_file.';
  const endsMs = certificate === undefined ? 0 : Date.parse(certificate.validTo);
  const days = Math.floor((endsMs - world.clock.now()) / DAY_MS);
  if (certificate !== undefined && days < 0) return bad(about, `expired ${-days} days ago`, cure);
  if (certificate?.checkHost(settings.myhostname) === undefined) {
    return bad(about, `the certificate is not for ${settings.myhostname}`, cure);
  }
  if (peer.kind === 'unverified') {
    const seen = `mail programs do not trust the certificate: ${peer.reason}`;
    return bad(about, seen, cure);
  }
  if (days < SOON_DAYS) return better(about, `expires in ${days} days`, cure);
  return good(about, `is good for ${days} days`);
}
