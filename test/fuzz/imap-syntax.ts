/** A reader of IMAP responses (RFC 3501 9) that believes nothing: for what a server sent. */

import { must } from './target.ts';

const DATA =
  /^\* (?:\d+ FETCH |LIST |LSUB |STATUS |SEARCH|ESEARCH|FLAGS |NAMESPACE |ID |CAPABILITY |ENABLED)/;

/**
 * Reads responses one after the other. Whatever names, flags and messages hold, no line but the
 * server's own comes out of it. `cut`: the connection was closed, so the last one may be open.
 */
export function readResponses(output: string, cut: boolean): void {
  for (let at = 0; at < output.length;) {
    const end = DATA.test(output.slice(at, at + 40)) ? dataEnd(output, at) : textEnd(output, at);
    if (end === undefined) {
      must(cut, 'a response that does not end', output.slice(at, at + 300));
      return;
    }
    at = end;
  }
}

/** `* OK text`, `tag NO [CODE] text`, `+ text`: printable to the line's end. */
function textEnd(output: string, from: number): number | undefined {
  const end = output.indexOf('\r\n', from);
  if (end < 0) return undefined;
  const line = output.slice(from, end);
  const known =
    /^(?:\* (?:OK|NO|BAD|BYE|PREAUTH|\d+ [A-Z]+)|\+ |\+$|[^ *+(){%"\\]+ (?:OK|NO|BAD) )/;
  must(known.test(line), 'a response of a known kind', line);
  must(/^[\x20-\x7e]*$/.test(line), 'a response of printable characters', line);
  return end + 2;
}

/** Atoms, quoted strings, literals, and parentheses that belong together. */
function dataEnd(output: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < output.length; at++) {
    const character = output[at] ?? '';
    if (character === '"') {
      const end = quotedEnd(output, at);
      if (end === undefined) return undefined;
      at = end;
    } else if (character === '{') {
      const announced = /^\{(\d+)\}\r\n/.exec(output.slice(at, at + 24));
      must(announced !== null, 'a brace begins a literal', output.slice(at - 40, at + 40));
      at += (announced?.[0].length ?? 1) - 1 + Number(announced?.[1]);
      if (at >= output.length) return undefined;
    } else if (character === '(') depth += 1;
    else if (character === ')') {
      depth -= 1;
      must(depth >= 0, 'parentheses belong together', output.slice(from, at + 1));
    } else if (character === '\r') {
      must(
        output[at + 1] === '\n' || at + 1 === output.length,
        'no bare CR',
        output.slice(from, at),
      );
      if (at + 1 === output.length) return undefined;
      must(depth === 0, 'a line ends outside of parentheses', output.slice(from, at));
      return at + 2;
    } else {
      must(
        character >= ' ' && character <= '~',
        'a printable character',
        output.slice(from, at + 1),
      );
    }
  }
  return undefined;
}

function quotedEnd(output: string, from: number): number | undefined {
  for (let at = from + 1; at < output.length; at++) {
    const character = output[at] ?? '';
    if (character === '"') return at;
    if (character === '\\') {
      at += 1;
      must(/["\\]/.test(output[at] ?? '"'), 'only quotes and backslashes are escaped');
    } else {
      must(
        character >= ' ' && character <= '~',
        'a quoted string is ASCII',
        output.slice(from, at),
      );
    }
  }
  return undefined;
}
