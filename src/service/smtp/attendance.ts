/** Who attends to a message while it comes in: the verifier of a stranger's, the signer of ours. */

import type { ReversePath } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { Arrived, Reader } from '#agents/arrival.ts';
import type { NewMail, NewMailRecipient } from '#agents/mail.ts';
import type { Judged } from '#agents/mta.ts';
import type { BodyReader } from '#agents/sign/signer.ts';
import type { SenderVerification, Verified } from '#agents/verify/transaction.ts';
import { type Authentication, NOTHING_VERIFIED } from '#policy/authentication.ts';
import type { ClientFacts } from '#policy/gate.ts';
import type { SmtpContext } from './context.ts';

type Ready = Judged & { kind: 'ready' };

/** Ready for intake. */
export type Complete = Ready & Pick<NewMail, 'passedOn'>;

/** Of one mail transaction, from MAIL to the end of content. */
export class Attendance {
  readonly #session: SmtpContext;
  readonly #verification: SenderVerification | undefined;
  #recipients: readonly NewMailRecipient[] = [];
  #leaves = false;
  #body: BodyReader | undefined;

  constructor(session: SmtpContext, client: ClientFacts, path: ReversePath) {
    const { listener, site } = session;
    this.#session = session;
    this.#verification = listener.mode === 'smtp' ? site.verifier(client, path) : undefined;
  }

  get authentication(): Authentication {
    return this.#verification ?? NOTHING_VERIFIED;
  }

  /** Whether there is something to wait for at the end of content. */
  get verifies(): boolean {
    return this.#verification !== undefined;
  }

  /** At DATA, when all recipients are known: who reads along. */
  reader(recipients: readonly NewMailRecipient[]): Reader | undefined {
    const { listener, site } = this.#session;
    this.#recipients = recipients;
    if (this.#verification !== undefined) {
      this.#leaves = recipients.some(({ address }) => site.leaves(address));
      if (this.#leaves && site.signer.canSeal(this.#sealers())) this.#verification.expectSeal();
      return this.#verification;
    }
    // Of mail on port 25 only what a trusted network sends elsewhere speaks for us.
    const signs =
      listener.mode === 'submission' ||
      recipients.some(({ permit }) => permit.reason === 'mynetworks');
    this.#body = signs ? site.signer.reader() : undefined;
    return this.#body;
  }

  /** Whether some recipient of a stranger's message reads it elsewhere, by an alias. */
  get leaves(): boolean {
    return this.#leaves;
  }

  /** Undefined where nobody verifies. */
  async finish(atMs: number): Promise<Verified | undefined> {
    return this.#verification?.finish(atMs);
  }

  /** The message as it goes on: signed where it is ours, sealed for those it is passed on to. */
  async complete(
    judged: Ready,
    arrived: Arrived,
    verified: Verified | undefined,
    atMs: number,
  ): Promise<Complete> {
    const { signer } = this.#session.site;
    if (this.#body !== undefined) {
      // What was hashed is what came: an agent may have made something else of it.
      const asItCame = judged.content.body === arrived.content.body;
      const digests = asItCame ? this.#body.digests() : undefined;
      const { signed, ...message } = await signer.sign(judged, atMs, digests);
      return { ...message, facts: { ...judged.facts, ...signed } };
    }
    if (verified === undefined || !this.#leaves) return judged;
    const sealed = await signer.seal(judged.content, verified.seal, this.#sealers(), atMs);
    if (sealed === undefined) return judged;
    return { ...judged, passedOn: sealed.content, facts: { ...judged.facts, sealed: sealed.by } };
  }

  /** For the ledger: what was found, and each answer of the DNS. */
  facts(): JsonObject {
    return this.#verification?.facts() ?? {};
  }

  /** In whose name a message is passed on: those it was sent to, else this host. */
  #sealers(): readonly Domain[] {
    const domains = new Set(this.#recipients.map(({ address }) => address.domain));
    return [...domains, this.#session.site.hostname];
  }
}
