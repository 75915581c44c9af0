/** What a line of an access table says: the right-hand sides of Postfix' access(5). */

/** `text` is for the client; undefined: our own words. */
export type AccessAction =
  | { readonly kind: 'permit' | 'dunno' }
  | {
      readonly kind: 'refuse';
      readonly code: number;
      readonly enhanced: string;
      readonly text: string | undefined;
    }
  | { readonly kind: 'warn' | 'hold'; readonly text: string | undefined };

const TEXT_CHARACTERS = 400;

/**
 * Text to an action, or what is wrong with it: `OK`, `REJECT text`, `DEFER text`, `4NN text`,
 * `5NN text`, `DUNNO`, `WARN text`, `HOLD text`; the text may begin with an enhanced code.
 */
export function parseAction(given: string): AccessAction | string {
  const [word = '', ...rest] = given.trim().split(/\s+/);
  const text = rest.join(' ');
  if (/[^\x20-\x7e]/.test(text)) return 'has text for the client that is not printable ASCII';
  if (text.length > TEXT_CHARACTERS) return `has more than ${TEXT_CHARACTERS} characters of text`;
  const said = text === '' ? undefined : text;
  switch (word.toUpperCase()) {
    case 'OK':
    case 'PERMIT':
      return { kind: 'permit' };
    case 'DUNNO':
      return { kind: 'dunno' };
    case 'WARN':
      return { kind: 'warn', text: said };
    case 'HOLD':
      return { kind: 'hold', text: said };
    case 'REJECT':
      return refuse(554, text);
    case 'DEFER':
      return refuse(450, text);
    default:
      if (/^[45][0-5]\d$/.test(word)) return refuse(Number(word), text);
      // As in Postfix: any other number stands for OK, some databases have nothing else.
      if (/^\d{1,20}$/.test(word)) return { kind: 'permit' };
      return `has the action "${word.slice(0, 40)}"; known are OK, REJECT, DEFER, 4NN, 5NN, DUNNO, WARN and HOLD`;
  }
}

function refuse(code: number, text: string): AccessAction | string {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)(.*)$/.exec(text);
  const given = match?.[1];
  if (given !== undefined && given[0] !== String(code)[0]) {
    return `has the code ${code}, which does not go with ${given}`;
  }
  const own = match === null ? text : (match[2] ?? '');
  const enhanced = given ?? (code < 500 ? '4.7.1' : '5.7.1');
  return { kind: 'refuse', code, enhanced, text: own === '' ? undefined : own };
}
