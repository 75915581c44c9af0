/** The scanner of address lists (RFC 5322 3.4, 4.4): one pass, no recursion, whatever comes. */

/** What stands in an address list, in order; strings hold octets as latin1, nothing decoded. */
export type Entry =
  | {
      readonly kind: 'mailbox';
      /** The phrase with quotes taken away; undefined when there is none. */
      readonly phrase: string | undefined;
      /** The last comment, without its outer parentheses. */
      readonly comment: string | undefined;
      /** The local part's value, and as it has to be written. */
      readonly local: string;
      readonly written: string;
      /** Empty when there was none. */
      readonly domain: string;
    }
  | { readonly kind: 'group'; readonly phrase: string }
  | { readonly kind: 'group-end' };

export interface EntryList {
  readonly entries: readonly Entry[];
  /** Something broke RFC 5322's grammar, obsolete forms included. */
  readonly malformed: boolean;
  /** There were more entries than the limit: they are not listed. */
  readonly cut: boolean;
}

interface Word {
  /** As a value, and as written. */
  readonly text: string;
  readonly source: string;
  readonly spaced: boolean;
}

type Place = 'phrase' | 'domain' | 'angle' | 'angle-domain' | 'route' | 'after';

/** Characters that end an atom; a dot is part of it, as obs-phrase and dot-atom have it. */
const ENDS_ATOM = new Set(' \t\r\n()<>[]:;@\\,"');
const ENDS = Uint8Array.from({ length: 128 }, (_, code) =>
  ENDS_ATOM.has(String.fromCharCode(code)) ? 1 : 0,
);

/** Scans an unfolded field value. Never fails; linear time; at most `max` entries. */
export function scanMailboxes(value: string, max: number): EntryList {
  return new MailboxScan(value, max).run();
}

class MailboxScan {
  readonly #text: string;
  readonly #max: number;
  readonly #entries: Entry[] = [];
  #malformed = false;
  #cut = false;
  #at = 0;
  #place: Place = 'phrase';
  #inGroup = false;
  #spaced = false;
  #words: Word[] = [];
  #phrase: string | undefined;
  #comment: string | undefined;
  #local: { readonly text: string; readonly source: string } | undefined;
  /** After one quote or comment without an end, they are ordinary characters: no second search. */
  #quotes = true;
  #comments = true;

  constructor(text: string, max: number) {
    this.#text = text;
    this.#max = max;
  }

  run(): EntryList {
    const text = this.#text;
    while (this.#at < text.length && !this.#cut) {
      const code = text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a) {
        this.#spaced = true;
        this.#at++;
      } else if (code === 0x28 && this.#comments) this.#readComment();
      else if (code === 0x22 && this.#quotes) this.#readQuoted();
      else if (code === 0x5b) this.#readLiteral();
      else if (code < 128 && ENDS[code] === 1) this.#special(code);
      else this.#readAtom();
    }
    this.#endMailbox();
    if (this.#inGroup) this.#endGroup();
    return { entries: this.#entries, malformed: this.#malformed, cut: this.#cut };
  }

  #special(code: number): void {
    this.#at++;
    if (code === 0x3c) this.#openAngle();
    else if (code === 0x3e) this.#closeAngle();
    else if (code === 0x40) this.#atSign();
    else if (code === 0x2c) this.#comma();
    else if (code === 0x3b) this.#semicolon();
    else if (code === 0x3a) this.#colon();
    else {
      this.#malformed = true;
      this.#word(String.fromCharCode(code));
    }
    this.#spaced = false;
  }

  #readAtom(): void {
    const text = this.#text;
    const from = this.#at++;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      if (code < 128 && ENDS[code] === 1) break;
      this.#at++;
    }
    this.#word(text.slice(from, this.#at));
  }

  #readQuoted(): void {
    const end = skipQuoted(this.#text, this.#at);
    if (end === -1) {
      this.#quotes = false;
      this.#malformed = true;
      return this.#readAtom();
    }
    const source = this.#text.slice(this.#at, end);
    const inner = source.slice(1, -1);
    this.#at = end;
    this.#word(inner.includes('\\') ? inner.replace(/\\([^])/g, '$1') : inner, source);
  }

  #readComment(): void {
    const end = skipComment(this.#text, this.#at);
    if (end === -1) {
      this.#comments = false;
      this.#malformed = true;
      return this.#readAtom();
    }
    const inner = this.#text.slice(this.#at + 1, end - 1);
    this.#comment = inner.includes('\\') ? inner.replace(/\\([^])/g, '$1') : inner;
    this.#at = end;
    this.#spaced = true;
  }

  #readLiteral(): void {
    const text = this.#text;
    let end = this.#at + 1;
    while (end < text.length && !'[]<>,;"'.includes(text[end] ?? '')) end++;
    const whole = text[end] === ']';
    const inDomain = this.#place === 'domain' || this.#place === 'angle-domain';
    if (!whole || !inDomain) this.#malformed = true;
    if (whole) end++;
    const source = text.slice(this.#at, end);
    this.#at = end;
    this.#word(source.replace(/[ \t\r\n]/g, ''), source);
  }

  #word(text: string, source = text): void {
    if (this.#place === 'after') this.#malformed = true;
    else this.#words.push({ text, source, spaced: this.#spaced });
    this.#spaced = false;
  }

  /** `<`: what came before is the phrase, even if it looks like an address. */
  #openAngle(): void {
    if (this.#place === 'domain') {
      this.#malformed = true;
      this.#phrase = `${this.#local?.source ?? ''}@${joinDomain(this.#words).text}`;
      this.#local = undefined;
    } else if (this.#place === 'phrase') this.#phrase = joinPhrase(this.#words);
    else {
      this.#malformed = true;
      this.#endMailbox();
    }
    this.#words = [];
    this.#place = 'angle';
  }

  #closeAngle(): void {
    if (this.#place !== 'angle-domain') this.#malformed = true;
    if (this.#place === 'angle') this.#takeLocal(false);
    if (this.#place !== 'phrase' && this.#place !== 'domain') this.#place = 'after';
  }

  #atSign(): void {
    if (this.#place === 'angle' && this.#words.length === 0) this.#place = 'route';
    else if (this.#place === 'angle') {
      this.#takeLocal(false);
      this.#place = 'angle-domain';
    } else if (this.#place === 'phrase') {
      this.#takeLocal(true);
      this.#place = 'domain';
    } else if (this.#place === 'domain' || this.#place === 'angle-domain') {
      // `a@b@c`: the last @ routes (CVE-2025-13033), and nobody may call it well-formed.
      this.#malformed = true;
      const before = joinDomain(this.#words).text;
      const { text = '', source = '' } = this.#local ?? {};
      this.#local = { text: `${text}@${before}`, source: `${source}@${before}` };
      this.#words = [];
    } else if (this.#place === 'after') this.#malformed = true;
  }

  #comma(): void {
    if (this.#place === 'route') return;
    if (this.#place === 'angle' || this.#place === 'angle-domain') this.#malformed = true;
    this.#endMailbox();
  }

  #semicolon(): void {
    if (this.#place === 'route' || this.#place.startsWith('angle')) this.#malformed = true;
    this.#endMailbox();
    if (this.#inGroup) this.#endGroup();
    else this.#malformed = true;
  }

  #colon(): void {
    if (this.#place === 'route') {
      this.#words = [];
      this.#place = 'angle';
    } else if (this.#place === 'phrase' && !this.#inGroup) {
      const phrase = joinPhrase(this.#words);
      if (phrase === undefined) this.#malformed = true;
      this.#push({ kind: 'group', phrase: phrase ?? '' });
      this.#inGroup = true;
      this.#reset();
    } else {
      // A group in a group is no group (CVE-2025-14874): its name goes, its members stay.
      this.#malformed = true;
      if (this.#place === 'phrase') this.#reset();
    }
  }

  /** The trailing words that hang together are the local part; others are a phrase. */
  #takeLocal(phraseMayPrecede: boolean): void {
    const from = phraseMayPrecede ? startOfRun(this.#words) : 0;
    const run = this.#words.slice(from);
    if (from > 0) {
      this.#malformed = true;
      this.#phrase = joinPhrase(this.#words.slice(0, from));
    }
    const whole = run.length > 0 && startOfRun(run) === 0;
    if (!whole || !run.every(atDot)) this.#malformed = true;
    this.#local = joinLocal(run, whole);
    this.#words = [];
  }

  #endMailbox(): void {
    let domain = '';
    if (this.#place === 'domain' || this.#place === 'angle-domain' || this.#place === 'after') {
      const { text, whole } = joinDomain(this.#words);
      domain = text;
      if (!whole || text === '') this.#malformed = true;
    }
    if (this.#place === 'angle' || this.#place === 'angle-domain') this.#malformed = true;
    if (this.#place === 'phrase' || this.#place === 'angle') {
      if (this.#words.length > 0) this.#malformed = true;
      const text = joinPhrase(this.#words) ?? '';
      this.#local = { text, source: text };
    }
    const { text: local = '', source: written = '' } = this.#local ?? {};
    const [phrase, comment] = [this.#phrase, this.#comment];
    if (this.#place === 'route') this.#malformed = true;
    if (local !== '' || domain !== '' || phrase !== undefined) {
      this.#push({ kind: 'mailbox', phrase, comment, local, written, domain });
    }
    this.#reset();
  }

  #endGroup(): void {
    this.#push({ kind: 'group-end' });
    this.#inGroup = false;
  }

  #push(entry: Entry): void {
    if (this.#entries.length < this.#max) this.#entries.push(entry);
    else this.#cut = true;
  }

  #reset(): void {
    this.#place = 'phrase';
    this.#words = [];
    this.#phrase = undefined;
    this.#comment = undefined;
    this.#local = undefined;
  }
}

/** Where the last words that belong together begin: no space between them, or a dot there. */
function startOfRun(words: readonly Word[]): number {
  let from = words.length;
  while (from > 0) {
    const word = words[from];
    const before = words[from - 1];
    if (word !== undefined && before !== undefined && !joined(before, word)) break;
    from--;
  }
  return from;
}

function joined(before: Word, word: Word): boolean {
  return !word.spaced || word.source.startsWith('.') || before.source.endsWith('.');
}

/** RFC 5322 4.4: words of a local part have dots between them; `"a"b` is two of them. */
function atDot(word: Word, at: number, words: readonly Word[]): boolean {
  const before = words[at - 1];
  return before === undefined || word.source.startsWith('.') || before.source.endsWith('.');
}

function joinPhrase(words: readonly Word[]): string | undefined {
  const [only] = words;
  if (only === undefined) return undefined;
  if (words.length === 1) return only.text;
  return words.map((word, at) => (at > 0 && word.spaced ? ` ${word.text}` : word.text)).join('');
}

function joinLocal(words: readonly Word[], whole: boolean): { text: string; source: string } {
  const [only] = words;
  if (words.length === 1 && only !== undefined) return only;
  if (!whole) {
    const phrase = joinPhrase(words) ?? '';
    return { text: phrase, source: phrase };
  }
  const text = words.map((word) => word.text).join('');
  const quoted = words.some((word) => word.source.startsWith('"'));
  // RFC 5322 4.4 obs-local-part mixes quoted strings and atoms; SMTP knows only one or the other.
  return { text, source: quoted ? `"${text.replace(/[\\"]/g, '\\$&')}"` : text };
}

/** `whole`: nothing that does not belong to a domain followed it. */
function joinDomain(words: readonly Word[]): { text: string; whole: boolean } {
  const [first] = words;
  if (first === undefined) return { text: '', whole: true };
  let text = first.text;
  let at = 1;
  for (; at < words.length; at++) {
    const word = words[at];
    const before = words[at - 1];
    if (word === undefined || before === undefined || !joined(before, word)) break;
    text += word.text;
  }
  const plain = !words.some((word) => word.source.startsWith('"'));
  return { text, whole: at >= words.length && plain };
}

/** After the quoted string that begins at `from`, or -1 if it has no end. */
export function skipQuoted(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return -1;
}

/** After the comment that begins at `from`, nested ones with it, or -1 if it has no end. */
export function skipComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x28) depth++;
    else if (code === 0x29 && --depth === 0) return at + 1;
  }
  return -1;
}
