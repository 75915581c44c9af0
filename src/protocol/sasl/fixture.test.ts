/** What the SASL tests share: a TLS connection, one account, and answers about it. */

import type { AccountId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { invariant } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import { encodeBase64 } from './base64.ts';
import { SaslDialogue, type SaslProgress } from './dialogue.ts';
import type { SaslAnswer, SaslQuestion } from './mechanism.ts';
import { findMechanism, offeredMechanisms } from './offer.ts';
import { scramKeys, type ScramKeys } from './scram.ts';

export const EXPORTER = utf8('exporter-octets-of-this-connection');
export const END_POINT = utf8('hash-of-the-certificate');
const IDENTITY = { account: 7 as AccountId, address: 'alice@demo.test' };

export function secure(
  binding: { exporter?: Uint8Array; serverEndPoint?: Uint8Array } = {},
): Secure {
  return Secure.established({
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: undefined,
    peer: { kind: 'not-asked' },
    channelBinding: { exporter: binding.exporter, serverEndPoint: binding.serverEndPoint },
  });
}

function keysOf(password: string): ScramKeys {
  const keys = scramKeys(password, utf8('0123456789abcdef'), 4096);
  invariant(keys !== undefined, 'test passwords can be prepared');
  return keys;
}

/** Knows one account, `user`, with the password `pencil`. */
function outside(question: SaslQuestion): SaslAnswer {
  const known = question.login === 'user';
  if (question.kind === 'scram') {
    const keys = keysOf(known ? 'pencil' : `made up for ${question.login}`);
    return { kind: 'scram', identity: known ? IDENTITY : undefined, ...keys };
  }
  const right = known && question.password.reveal() === 'pencil';
  return { kind: 'password', identity: right ? IDENTITY : undefined };
}

export function dialogue(name: string, tls = secure(), offered?: readonly string[]): SaslDialogue {
  const mechanism = findMechanism(name, offeredMechanisms(tls));
  invariant(mechanism !== undefined, `${name} is offered`);
  return new SaslDialogue(mechanism, {
    secure: tls,
    nonce: utf8('server-nonce-server-nonce'),
    ...(offered === undefined ? {} : { offered }),
  });
}

/** Answers questions until the client is to speak or the exchange is over. */
export function settle(exchange: SaslDialogue, progress: SaslProgress): SaslProgress {
  return progress.kind === 'ask'
    ? settle(exchange, exchange.answer(outside(progress.question)))
    : progress;
}

export const b64 = (text: string): string => encodeBase64(Buffer.from(text, 'latin1'));
export const b64utf8 = (text: string): string => encodeBase64(utf8(text));
