/** The tokens of Authentication-Results (RFC 8601 2.2), read one after the other, strictly. */

/** RFC 2045 5.1 `token`: printable ASCII without tspecials; RFC 8601 lets UTF-8 in. */
const TOKEN_END = /[\x00-\x20\x7f()<>@,;:\\"/[\]?=]/;
/** Of a local part (RFC 5322 3.2.3 `dot-atom`): what is in no token. */
const ATOM_EXTRA = '/?=';
const DEPTH = 50;

/** A cursor over a field value; each reading fails with undefined, and nothing is taken then. */
export class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Skips white space and comments; undefined if a comment has no end, else if there was any. */
  skip(): boolean | undefined {
    const from = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '(') {
        const end = this.#commentEnd();
        if (end === undefined) return undefined;
        this.#at = end;
      } else if (character === ' ' || character === '\t' || this.#atFold()) this.#at++;
      else return this.#at > from;
    }
  }

  /** Takes one character if it comes next. */
  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  token(): string | undefined {
    return this.#run(isToken);
  }

  digits(): string | undefined {
    return this.#run(isDigit);
  }

  /** RFC 5321 4.1.2 `Keyword`, in lower case. */
  keyword(): string | undefined {
    const from = this.#at;
    const word = this.#run(isKeyword);
    if (word?.endsWith('-') !== true) return word?.toLowerCase();
    this.#at = from;
    return undefined;
  }

  /** The value of a quoted string; its line ends are folds. */
  quoted(): string | undefined {
    if (this.#text[this.#at] !== '"') return undefined;
    let value = '';
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at] ?? '';
      if (character === '"') {
        this.#at = at + 1;
        return value;
      }
      const escaped = character === '\\';
      if (escaped) at++;
      const plain = escaped ? this.#text[at] : character;
      if (plain === undefined || /[\x00-\x08\x0a-\x1f\x7f]/.test(plain)) return undefined;
      value += plain;
    }
    return undefined;
  }

  /** A `value`: a token or a quoted string. */
  value(): string | undefined {
    return this.#text[this.#at] === '"' ? this.quoted() : this.token();
  }

  /** A `pvalue` without the white space around it: a value, or `[[local-part] "@"] domain`. */
  propertyValue(): string | undefined {
    const quoted = this.#text[this.#at] === '"';
    const local = quoted ? this.quoted() : (this.#run(isAtom) ?? '');
    if (local === undefined) return undefined;
    if (!this.take('@')) {
      return quoted || (local !== '' && isTokenText(local)) ? local : undefined;
    }
    const domain = this.#run(isDomain);
    return domain === undefined ? undefined : `${local}@${domain}`;
  }

  #run(test: (character: string) => boolean): string | undefined {
    let end = this.#at;
    while (end < this.#text.length && test(this.#text[end] ?? '')) end++;
    if (end === this.#at) return undefined;
    const run = this.#text.slice(this.#at, end);
    this.#at = end;
    return run;
  }

  /** CRLF and white space after it; a line end anywhere else is no white space. */
  #atFold(): boolean {
    const text = this.#text;
    if (text[this.#at] === '\n') return text[this.#at - 1] === '\r' && isBlank(text[this.#at + 1]);
    return text[this.#at] === '\r' && text[this.#at + 1] === '\n' && isBlank(text[this.#at + 2]);
  }

  #commentEnd(): number | undefined {
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === '\\') at++;
      else if (character === '(' && ++depth > DEPTH) return undefined;
      else if (character === ')' && --depth === 0) return at + 1;
    }
    return undefined;
  }
}

function isToken(character: string): boolean {
  return !TOKEN_END.test(character);
}

function isTokenText(text: string): boolean {
  return !TOKEN_END.test(text);
}

function isAtom(character: string): boolean {
  return isToken(character) || ATOM_EXTRA.includes(character);
}

function isDomain(character: string): boolean {
  return /[A-Za-z0-9._\x80-\uffff-]/.test(character);
}

function isKeyword(character: string): boolean {
  return /[A-Za-z0-9-]/.test(character);
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
