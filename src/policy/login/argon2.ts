/** Argon2id (RFC 9106) off the main thread, behind a function type that tests can count. */

import { argon2 } from 'node:crypto';
import { Failure } from '#base/failure.ts';
import type { HashParameters } from './phc.ts';

/** Computes one hash; costs what its parameters say. Fails temporarily when memory is short. */
export type HashFunction = (
  password: string,
  salt: Uint8Array,
  parameters: HashParameters,
  lengthBytes: number,
) => Promise<Uint8Array>;

/** About 30 ms on one core of 2024: what a busy server can pay for each login. */
export const HASH_PARAMETERS: HashParameters = { memoryKib: 19_456, passes: 2, parallelism: 1 };
export const HASH_BYTES = 32;
export const SALT_BYTES = 16;

/** The hash function of node:crypto, in its thread pool. */
export const argon2id: HashFunction = (password, salt, parameters, lengthBytes) =>
  new Promise((resolve, reject) => {
    const { memoryKib: memory, passes, parallelism } = parameters;
    const input = { message: password, nonce: salt, tagLength: lengthBytes };
    argon2('argon2id', { ...input, memory, passes, parallelism }, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(Failure.temporary('hash-failed', 'the password could not be hashed', error));
    });
  });
