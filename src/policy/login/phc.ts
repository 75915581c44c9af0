/** Password hashes as PHC strings: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`. */

import { asBuffer } from '#base/bytes.ts';

/** What an argon2id hash costs. */
export interface HashParameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface PasswordHash {
  readonly parameters: HashParameters;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const NUMBER = String.raw`([1-9]\d{0,7})`;
const PHC = new RegExp(
  String.raw`^\$argon2id\$v=19\$m=${NUMBER},t=${NUMBER},p=${NUMBER}\$([A-Za-z0-9+/]{11,86})` +
    String.raw`\$([A-Za-z0-9+/]{16,172})$`,
);

/**
 * A PHC string to its parts, or undefined: another algorithm or version, or costs that would
 * stop the server (over 1 GiB, 64 passes, 16 lanes).
 */
export function parsePhc(text: string): PasswordHash | undefined {
  const match = PHC.exec(text);
  if (match === null) return undefined;
  const [, memory = '', passes = '', lanes = '', salt = '', hash = ''] = match;
  const parameters = { memoryKib: +memory, passes: +passes, parallelism: +lanes };
  if (parameters.memoryKib > 1_048_576 || parameters.passes > 64) return undefined;
  if (parameters.parallelism > 16 || parameters.memoryKib < 8 * parameters.parallelism) {
    return undefined;
  }
  return {
    parameters,
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

/** The parts as a PHC string. */
export function formatPhc({ parameters, salt, hash }: PasswordHash): string {
  const { memoryKib, passes, parallelism } = parameters;
  const costs = `m=${memoryKib},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${costs}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** PHC's B64: base64 without padding. */
function unpadded(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64').replace(/=+$/, '');
}
