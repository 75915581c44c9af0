/** What the command line of `postern send` asks for, checked before anything is connected. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { formatAddress } from '#base/address.ts';
import { parseUtf8 } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';
import { Secret } from '#base/secret.ts';
import type { SaslCredentials } from '#protocol/sasl/client-exchange.ts';
import type { SessionTls } from '#protocol/smtp/client/session.ts';
import type { Notify } from '#store/queue.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { namedAddress, namedPlace } from '../subjects.ts';

export interface Plan {
  readonly host: string;
  readonly port: number;
  readonly tls: SessionTls;
  readonly heloName: string;
  readonly lmtp: boolean;
  readonly credentials: SaslCredentials | undefined;
  readonly mechanisms: readonly string[] | undefined;
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  readonly notify: Notify | undefined;
}

const MODES = ['starttls', 'implicit', 'opportunistic', 'never'] as const;
const PASSWORD_BYTES = 2_048;
const SUBMISSION = 587;

/** Reads the options; a CommandError for the first that is wrong. */
export async function planOf(context: Context): Promise<Plan> {
  const { host, port = SUBMISSION } = namedPlace(argument(context, 'server'));
  const from = option(context, 'from') ?? option(context, 'user');
  const to = (option(context, 'to') ?? '').split(',').map((text) => text.trim());
  if (from === undefined) throw usage('--from is missing', 'Name the sender, or "<>" for none.');
  if (to[0] === '') throw usage('--to is missing', 'Name at least one recipient.');
  const tls = tlsOf(context, host, port);
  const credentials = await credentialsOf(context);
  if (credentials !== undefined && tls.mode === 'never') {
    throw usage('a login without TLS would show the password', 'Leave out --tls never.');
  }
  const only = option(context, 'auth');
  return {
    host,
    port,
    tls,
    heloName: option(context, 'helo') ?? parseDomain(hostname()) ?? 'localhost',
    lmtp: context.options.has('lmtp'),
    credentials,
    mechanisms: only === undefined ? undefined : [only.toUpperCase()],
    from: from === '<>' || from === '' ? '' : formatAddress(namedAddress(from)),
    to: to.map((text) => formatAddress(namedAddress(text))),
    notify: notifyOf(option(context, 'notify')),
  };
}

function tlsOf(context: Context, host: string, port: number): SessionTls {
  const asked = option(context, 'tls') ?? (port === 465 ? 'implicit' : undefined);
  const loggedIn = context.options.has('user');
  const mode = asked ?? (loggedIn ? 'starttls' : 'opportunistic');
  if (!MODES.some((known) => known === mode)) {
    throw usage(`--tls takes ${MODES.join(', ')}, not "${mode}"`, undefined);
  }
  if (mode === 'never') return { mode };
  const ca = option(context, 'ca');
  const unverified = context.options.has('insecure') || mode === 'opportunistic';
  return {
    mode: mode === 'starttls' ? 'require' : mode === 'implicit' ? 'implicit' : 'opportunistic',
    serverName: host,
    ...(ca === undefined ? {} : { authorities: readFileSync(ca, 'utf8') }),
    // Whoever names an authority wants it checked, whatever the mode.
    verify: unverified && ca === undefined ? 'opportunistic' : 'require',
  };
}

async function credentialsOf(context: Context): Promise<SaslCredentials | undefined> {
  const login = option(context, 'user');
  if (login === undefined) return undefined;
  const { io, options } = context;
  if (!options.has('password-stdin')) {
    const known = io.env['POSTERN_PASSWORD'] ?? (await io.askSecret(`Password of ${login}: `));
    if (known === undefined) {
      throw usage('nobody is there to type a password', 'Use --password-stdin.');
    }
    return { login, password: new Secret(known) };
  }
  if (option(context, 'file') === '-') {
    throw usage('standard input cannot be the password and the message', undefined);
  }
  const text = parseUtf8(await io.readAll(PASSWORD_BYTES));
  if (text === undefined) throw new CommandError(EXIT.data, 'the password is not UTF-8');
  return { login, password: new Secret(text.replace(/\r?\n$/, '')) };
}

function notifyOf(text: string | undefined): Notify | undefined {
  if (text === undefined) return undefined;
  if (text.toLowerCase() === 'never') return [];
  return text.split(',').map((word) => {
    const when = word.trim().toLowerCase();
    if (when === 'success' || when === 'failure' || when === 'delay') return when;
    throw usage(`--notify takes success, failure, delay or never, not "${word}"`, undefined);
  });
}

function usage(cause: string, cure: string | undefined): CommandError {
  return new CommandError(EXIT.usage, cause, cure);
}
