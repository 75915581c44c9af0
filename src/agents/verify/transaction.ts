/** SPF, DKIM, ARC, iprev and DMARC of one mail transaction with a stranger, within one budget. */

import type { ReversePath } from '#base/address.ts';
import { formatAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import { HEAD_FIELDS } from '#base/limits.ts';
import type { Clock, Resolver } from '#base/world.ts';
import type { FieldText } from '#message/field-text.ts';
import { readHead } from '#message/fields.ts';
import type { Authentication, MessageAuthentication } from '#policy/authentication.ts';
import type { ClientFacts } from '#policy/gate.ts';
import { SignatureVerification, judgeEvidence } from '#trust/arc/verification.ts';
import type { SignatureEvidence, SignatureReport } from '#trust/arc/verification.ts';
import type { ArcReport } from '#trust/arc/verify.ts';
import type { BodyDigests } from '#trust/dkim/body.ts';
import { SIGNING_WANT } from '#trust/dkim/sign.ts';
import { type Author, readAuthor } from '#trust/dmarc/author.ts';
import { evaluateDmarc } from '#trust/dmarc/evaluate.ts';
import { type IprevOutcome, checkIprev } from '#trust/iprev.ts';
import { Questions } from '#trust/questions.ts';
import type { Signatures } from '#trust/signatures.ts';
import { checkHost, spfIdentity } from '#trust/spf/check.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';
import type { Reader } from '../arrival.ts';
import { type Findings, evidenceOf } from './evidence.ts';
import { resultFields, resultsText } from './fields.ts';

export interface VerifyOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** Our authserv-id (RFC 8601 2.5), and the receiver that SPF names. */
  readonly hostname: Domain;
  readonly signatures: Signatures;
}

/** What is known of a message whose content is all there. */
export interface Verified {
  readonly findings: Findings;
  /** Authentication-Results and Received-SPF, to be put above our own Received. */
  readonly fields: readonly FieldText[];
  /** The client's name, if it leads back to its address (RFC 8601 3). */
  readonly clientName: string | undefined;
  /** Why nobody can say who the author is: such a message is refused. */
  readonly unusableAuthor: string | undefined;
  /** What a seal of ours would say, should the message be passed on. */
  readonly seal: {
    readonly report: ArcReport;
    readonly results: string;
    readonly body: BodyDigests | undefined;
  };
}

/** One message makes at most 60 questions, so that nobody can make an amplifier of us. */
const BUDGET = { spf: 30, keys: 10, iprevNames: 2, dmarc: 17 };
const QUESTIONS = BUDGET.spf + BUDGET.keys + BUDGET.iprevNames + 1 + BUDGET.dmarc;

/** What was begun when the head was there. */
interface Begun {
  readonly author: Author;
  readonly signatures: SignatureVerification;
  readonly iprev: Promise<IprevOutcome>;
}

/**
 * Made at MAIL; asks nobody before it is asked itself, or reads a head. Never fails: what the DNS
 * does not say is `temperror`, and so is what the signatures' thread could not work out.
 */
export class SenderVerification implements Authentication, Reader {
  readonly #options: VerifyOptions;
  readonly #client: ClientFacts;
  readonly #path: ReversePath;
  readonly #questions: Questions;
  readonly #identity: ReturnType<typeof spfIdentity>;
  #spf: Promise<SpfOutcome> | undefined;
  #begun: Begun | undefined;
  #found: Partial<Findings> = {};
  #message: MessageAuthentication | undefined;
  #seals = false;

  constructor(options: VerifyOptions, client: ClientFacts, path: ReversePath) {
    const { resolver } = options;
    this.#options = options;
    this.#client = client;
    this.#path = path;
    // Without a clock: each check has its own deadline from its own beginning. A common one would
    // let a client that waits long enough before it ends its content have no DMARC at all.
    this.#questions = new Questions({ resolver, maxQuestions: QUESTIONS });
    this.#identity = spfIdentity(path, client.helo);
  }

  get message(): MessageAuthentication | undefined {
    return this.#message;
  }

  spf(): Promise<SpfOutcome> {
    return (this.#spf ??= this.#checkHost());
  }

  /** Before the content: the message will be passed on, so its body is hashed for a seal, too. */
  expectSeal(): void {
    this.#seals = true;
  }

  head(octets: Uint8Array): void {
    const read = readHead(octets);
    // It will be refused, and reading its signatures would hold everybody up.
    if (read.fields.length > HEAD_FIELDS) return;
    const { signatures } = this.#options;
    this.#begun = {
      author: readAuthor(octets, read),
      signatures: new SignatureVerification(octets, this.#questions, {
        read,
        keys: BUDGET.keys,
        judge: (evidence) => judged(signatures, evidence),
        alsoHash: this.#seals ? [SIGNING_WANT] : [],
      }),
      iprev: checkIprev({
        ip: this.#client.address,
        resolver: this.#questions,
        clock: this.#options.clock,
        limits: { names: BUDGET.iprevNames },
      }),
    };
    void this.spf();
  }

  body(octets: Uint8Array): void {
    this.#begun?.signatures.write(octets);
  }

  /** The content is complete: waits for what was asked; undefined for a head nobody reads. */
  async finish(atMs: number): Promise<Verified | undefined> {
    const begun = this.#begun;
    if (begun === undefined) return undefined;
    const { clock, hostname } = this.#options;
    const [{ dkim, arc }, spf, iprev] = await Promise.all([
      begun.signatures.finish(atMs),
      this.spf(),
      begun.iprev,
    ]);
    const dmarc = await evaluateDmarc({
      author: begun.author,
      spf,
      dkim: dkim.results.flatMap(({ status, domain }) =>
        domain === undefined ? [] : [{ result: status, domain }],
      ),
      resolver: this.#questions,
      clock,
      limits: { questions: BUDGET.dmarc },
    });
    this.#message = { dkim, arc, dmarc };
    const findings = { spf, iprev, dkim, arc, dmarc, identity: this.#identity.identity };
    this.#found = findings;
    const { address, helo } = this.#client;
    const envelopeFrom = this.#path === null ? '' : formatAddress(this.#path);
    const fields = resultFields(findings, { hostname, address, helo, envelopeFrom });
    const [results] = fields;
    invariant(results !== undefined, 'the results come first');
    return {
      findings,
      fields,
      clientName: iprev.name,
      unusableAuthor: dmarc.result === 'permerror' ? dmarc.why : undefined,
      seal: { report: arc, results: resultsText(results), body: begun.signatures.digests },
    };
  }

  /** For the ledger: what is known by now, and every answer of the DNS it rests on. */
  facts(): JsonObject {
    const { facts } = this.#questions;
    if (facts.length === 0 && this.#message === undefined) return {};
    return { authentication: evidenceOf(this.#found, facts) };
  }

  async #checkHost(): Promise<SpfOutcome> {
    const { domain, sender, identity } = this.#identity;
    const { clock, hostname } = this.#options;
    const spf = await checkHost({
      ip: this.#client.address,
      domain,
      sender,
      helo: this.#client.helo,
      resolver: this.#questions,
      clock,
      receiver: hostname,
      limits: { questions: BUDGET.spf },
    });
    this.#found = { ...this.#found, spf, identity };
    return spf;
  }
}

/** Without its thread nothing is known of a signature, which is not the sender's fault. */
async function judged(
  signatures: Signatures,
  evidence: SignatureEvidence,
): Promise<SignatureReport> {
  try {
    return await signatures.judge(evidence);
  } catch {
    return judgeEvidence({ ...evidence, answers: new Map() });
  }
}
