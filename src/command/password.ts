/** Where a new password comes from: made here, standard input, or typed twice. */

import { parseUtf8 } from '#base/bytes.ts';
import type { Random } from '#base/world.ts';
import { Secret } from '#base/secret.ts';
import type { Credentials } from '#store/directory.ts';
import { hashPassword, passwordProblem } from '#policy/login/password.ts';
import { systemRandom } from '#network/random.ts';
import type { Context } from './command.ts';
import { CommandError, EXIT } from './exit.ts';

export interface NewPassword {
  readonly credentials: Credentials;
  /** The password, if it was made here and must be shown. */
  readonly generated: Secret<string> | undefined;
}

const SHORTEST = 8;
const INPUT_BYTES = 2_048;
/** Without 0 O 1 l I: they are read out and typed. 20 of these are 115 bits. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const GENERATED = 20;

/** Asks for a password in the way the options say; a CommandError when it will not do. */
export async function choosePassword(
  context: Pick<Context, 'options' | 'io'>,
  random: Random = systemRandom,
): Promise<NewPassword> {
  const { options } = context;
  if (options.has('generate')) {
    if (options.has('password-stdin')) {
      throw new CommandError(EXIT.usage, '--generate and --password-stdin exclude each other');
    }
    return generated(random);
  }
  const password = options.has('password-stdin') ? await fromInput(context) : await typed(context);
  const problem = passwordProblem(password) ?? tooShort(password);
  if (problem !== undefined) {
    throw new CommandError(EXIT.data, problem, 'Choose another one, or use --generate.');
  }
  return { credentials: await hashPassword(password, random), generated: undefined };
}

/** A password of our own making, to be shown once. */
export async function generated(
  random: Random = systemRandom,
): Promise<NewPassword & { readonly generated: Secret<string> }> {
  const password = generatePassword(random);
  return { credentials: await hashPassword(password, random), generated: new Secret(password) };
}

/** A random password; each letter equally likely, no octet is folded unevenly. */
export function generatePassword(random: Random): string {
  const fair = 256 - (256 % LETTERS.length);
  let password = '';
  while (password.length < GENERATED) {
    for (const octet of random.bytes(64)) {
      if (octet < fair && password.length < GENERATED) {
        password += LETTERS.charAt(octet % LETTERS.length);
      }
    }
  }
  return password;
}

async function fromInput({ io }: Pick<Context, 'io'>): Promise<string> {
  const text = parseUtf8(await io.readAll(INPUT_BYTES));
  if (text === undefined) throw new CommandError(EXIT.data, 'the password is not UTF-8');
  // The line end belongs to `echo`, not to the password.
  return text.replace(/\r?\n$/, '');
}

async function typed({ io }: Pick<Context, 'io'>): Promise<string> {
  const first = await io.askSecret('New password: ');
  if (first === undefined) {
    const cure = 'Use --password-stdin or --generate.';
    throw new CommandError(EXIT.usage, 'nobody is there to type a password', cure);
  }
  const second = await io.askSecret('Once more: ');
  if (first !== second) {
    throw new CommandError(EXIT.data, 'the two passwords differ', 'Nothing was changed.');
  }
  return first;
}

function tooShort(password: string): string | undefined {
  if ([...password].length >= SHORTEST) return undefined;
  return `the password has fewer than ${SHORTEST} characters`;
}
