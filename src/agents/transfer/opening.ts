/** A session with one host, opened as its protection wants it; or the trouble that there was. */

import { Failure, invariant } from '#base/failure.ts';
import { SmtpSession, type SessionTls } from '#protocol/smtp/client/session.ts';
import type { Envelope } from '#store/queue.ts';
import type { TransferOptions } from './options.ts';
import { type Record, replyText, tlsFacts } from './record.ts';
import type { Smarthost } from './relayhost.ts';
import type { Target } from './route.ts';
import type { Protection } from './security/protection.ts';
import type { SessionWatch } from './security/watch.ts';
import { deferred, hostText, troubleOf, type Trouble } from './trouble.ts';

/** What a session is opened for, whichever host it is with. */
export interface Purpose {
  readonly options: TransferOptions;
  readonly envelope: Pick<Envelope, 'tls' | 'reversePath'>;
  /** That it is a next hop of the configuration. */
  readonly smarthost: Smarthost | undefined;
  /** Told of each host that would not do. */
  readonly record: Record;
}

export type Opened =
  | { readonly kind: 'open'; readonly session: SmtpSession }
  | { readonly kind: 'trouble'; readonly trouble: Trouble };

const CONNECT_MS = 30_000;
const SCRAM_NONCE_OCTETS = 24;

/** Opens it. Opportunistic means: in clear rather than not at all (RFC 7435 3). Never fails. */
export async function openSession(
  target: Target,
  protection: Protection,
  watch: SessionWatch,
  purpose: Purpose,
): Promise<Opened> {
  const opening = new Opening(target, watch, purpose);
  const first = await opening.run(tlsFor(target, protection, watch, purpose));
  if (first !== undefined) return first;
  const second = await opening.run({ mode: 'never' });
  invariant(second !== undefined, 'without TLS none can fail');
  return second;
}

class Opening {
  readonly #target: Target;
  readonly #watch: SessionWatch;
  readonly #purpose: Purpose;

  constructor(target: Target, watch: SessionWatch, purpose: Purpose) {
    this.#target = target;
    this.#watch = watch;
    this.#purpose = purpose;
  }

  /** Undefined: TLS failed that need not be, so it is tried again in clear, and the ledger knows. */
  async run(tls: SessionTls): Promise<Opened | undefined> {
    const watch = this.#watch;
    let session: SmtpSession | undefined;
    try {
      session = await this.#connect(tls);
      const opening = await session.open();
      const clear = tls.mode !== 'never' && session.dialogue.secure === undefined;
      if (clear && (opening.kind === 'ready' || opening.step === 'starttls')) {
        watch.failed('starttls-not-supported', 'the server does not offer STARTTLS');
      }
      if (opening.kind === 'ready') {
        watch.opened();
        return { kind: 'open', session };
      }
      const atTls = opening.step === 'starttls' ? { refused: watch.refused } : undefined;
      const trouble = this.#unmet(troubleOf(opening, this.#target), atTls);
      const failed = this.#failed(trouble, session);
      void session.quit();
      return failed;
    } catch (thrown) {
      session?.dialogue.destroy();
      return this.#broken(Failure.from(thrown), tls, session);
    }
  }

  #broken(failure: Failure, tls: SessionTls, session: SmtpSession | undefined): Opened | undefined {
    const { record } = this.#purpose;
    const handshake = session?.step === 'starttls' && failure.code !== 'protocol-error';
    if (session?.step === 'starttls') this.#watch.failed('validation-failure', failure.message);
    if (handshake && tls.mode === 'opportunistic') {
      const outcome = `${failure.code}: ${failure.message}; tried again in clear`;
      record.host({ host: hostText(this.#target), outcome, tls: 'failed' });
      return undefined;
    }
    const tlsFailed = handshake || failure.code.startsWith('tls');
    const status = tlsFailed ? '4.7.5' : session === undefined ? '4.4.1' : '4.4.2';
    return this.#failed(deferred(this.#target, status, failure.message), session);
  }

  #connect(tls: SessionTls): Promise<SmtpSession> {
    const { options, smarthost } = this.#purpose;
    const { world, hostname, sourceAddress, timeouts } = options;
    const credentials = smarthost?.credentials;
    const where = {
      address: this.#target.address,
      port: this.#target.port,
      timeoutMs: options.connectMs ?? CONNECT_MS,
      ...(sourceAddress === undefined ? {} : { source: sourceAddress }),
    };
    return SmtpSession.connect(world.network, where, {
      clock: world.clock,
      heloName: hostname,
      lmtp: smarthost?.lmtp === true,
      tls,
      // The ledger gets answers and facts; a second copy of each dialogue has no reader.
      dialogue: { transcriptLines: 0 },
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(credentials === undefined
        ? {}
        : { credentials, nonce: world.random.bytes(SCRAM_NONCE_OCTETS) }),
    });
  }

  #failed(trouble: Trouble, session: SmtpSession | undefined): Opened {
    this.#purpose.record.host({
      host: hostText(this.#target),
      outcome: trouble.reason,
      reply: trouble.reply && replyText(trouble.reply),
      tls: tlsFacts(session?.dialogue.secure),
      security: this.#watch.facts,
    });
    return { kind: 'trouble', trouble };
  }

  /** RFC 8689 4.2.1: REQUIRETLS is met or the mail goes back, at once; else it waits. */
  #unmet(trouble: Trouble, atTls: { readonly refused: boolean } | undefined): Trouble {
    if (atTls === undefined) return trouble;
    const { tls, reversePath } = this.#purpose.envelope;
    if (tls === 'required' && reversePath !== '') {
      return { ...trouble, kind: 'failed', status: '5.7.10' };
    }
    return atTls.refused ? { ...trouble, status: '4.7.5' } : trouble;
  }
}

function tlsFor(
  target: Target,
  protection: Protection,
  watch: SessionWatch,
  { options, smarthost }: Purpose,
): SessionTls {
  const { authorities } = options;
  if (protection.mode === 'never') return { mode: 'never' };
  const must = smarthost?.tls === 'implicit' ? 'implicit' : 'require';
  const named = smarthost !== undefined && !smarthost.mx ? smarthost.host : target.host;
  return {
    mode: protection.mode === 'must' ? must : 'opportunistic',
    serverName: protection.serverName ?? named,
    // An unverified peer is no reason to go on in clear, so opportunistic never insists; what
    // MX hosts must be is asked of the certificate itself, after the handshake.
    verify: protection.verify === true ? 'require' : 'opportunistic',
    approve: watch.approve,
    ...(authorities === undefined ? {} : { authorities }),
  };
}
