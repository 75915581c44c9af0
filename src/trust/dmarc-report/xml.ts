/** A small reader of XML 1.0 for what strangers send: no DTD, no entities of its own, all bounded. */

/** An element with its text, or with the elements in it. */
export interface XmlElement {
  /** Without the prefix of a namespace. */
  readonly name: string;
  readonly children: XmlElement[];
  /** All text that stands directly in it, references resolved, blanks at both ends taken away. */
  text: string;
}

export interface XmlLimits {
  /** Default 20. */
  readonly depth?: number;
  /** Default 300,000. */
  readonly elements?: number;
  /** Characters of text in one element; blanks between elements count. Default 100,000. */
  readonly characters?: number;
}

const DEPTH = 20;
const ELEMENTS = 300_000;
const CHARACTERS = 100_000;
const NAME_CHARACTERS = 100;
const ATTRIBUTES = 50;

/**
 * The root of a document; undefined when it is not well-formed, is larger than the limits, or has
 * a DOCTYPE: an entity that somebody declares is an attack (billion laughs, files of ours).
 * Attributes are checked and left out. Linear time, no recursion.
 */
export function readXml(text: string, limits: XmlLimits = {}): XmlElement | undefined {
  return new Reader(text, limits).document();
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
const BLANK = /[ \t\r\n]/;
/** As far as reports go: names of elements in other scripts have no meaning here. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]*/;
const REFERENCE_CHARACTERS = 12;

class Reader {
  readonly #text: string;
  readonly #limits: XmlLimits;
  readonly #open: { readonly element: XmlElement; readonly tag: string; characters: number }[] = [];
  #at = 0;
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(text: string, limits: XmlLimits) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#limits = limits;
  }

  document(): XmlElement | undefined {
    if (this.#text.startsWith('<?xml') && !this.#past('?>')) return undefined;
    while (this.#at < this.#text.length) {
      if (!(this.#text[this.#at] === '<' ? this.#markup() : this.#characters())) return undefined;
    }
    return this.#open.length === 0 ? this.#root : undefined;
  }

  #markup(): boolean {
    const text = this.#text;
    if (text.startsWith('<!--', this.#at)) return this.#past('-->', 4);
    if (text.startsWith('<?', this.#at)) return this.#past('?>', 2);
    if (text.startsWith('<![CDATA[', this.#at)) return this.#section();
    // A DOCTYPE, or a declaration that belongs into one.
    if (text.startsWith('<!', this.#at)) return false;
    this.#at += 1;
    return text[this.#at] === '/' ? this.#end() : this.#start();
  }

  #start(): boolean {
    const tag = this.#name();
    const { depth = DEPTH, elements = ELEMENTS } = this.#limits;
    if (tag === undefined || (this.#elements += 1) > elements) return false;
    const parent = this.#open.at(-1)?.element;
    if (parent === undefined && this.#root !== undefined) return false;
    const element: XmlElement = { name: local(tag), children: [], text: '' };
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    const closed = this.#attributes();
    if (closed === undefined) return false;
    if (closed) return true;
    this.#open.push({ element, tag, characters: 0 });
    return this.#open.length <= depth;
  }

  /** To behind the `>`; whether the element ended with it; undefined: not well-formed. */
  #attributes(): boolean | undefined {
    for (let count = 0; count <= ATTRIBUTES; count += 1) {
      const before = this.#at;
      this.#blanks();
      if (this.#take('/>')) return true;
      if (this.#take('>')) return false;
      if (this.#at === before || this.#name() === undefined) return undefined;
      this.#blanks();
      if (!this.#take('=')) return undefined;
      this.#blanks();
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") return undefined;
      const end = this.#text.indexOf(quote, this.#at + 1);
      if (end === -1 || this.#text.slice(this.#at, end).includes('<')) return undefined;
      this.#at = end + 1;
    }
    return undefined;
  }

  #end(): boolean {
    this.#at += 1;
    const tag = this.#name();
    const last = this.#open.pop();
    this.#blanks();
    if (last === undefined || tag !== last.tag || !this.#take('>')) return false;
    last.element.text = last.element.text.trim();
    return true;
  }

  #section(): boolean {
    const from = this.#at + '<![CDATA['.length;
    return this.#past(']]>', '<![CDATA['.length) && this.#put(this.#text.slice(from, this.#at - 3));
  }

  #characters(): boolean {
    const next = this.#text.indexOf('<', this.#at);
    const end = next === -1 ? this.#text.length : next;
    const { characters = CHARACTERS } = this.#limits;
    if (end - this.#at > characters) return false;
    const raw = this.#text.slice(this.#at, end);
    this.#at = end;
    const plain = resolved(raw);
    return plain !== undefined && this.#put(plain);
  }

  #put(text: string): boolean {
    const open = this.#open.at(-1);
    // Outside the root only blanks may stand.
    if (open === undefined) return text.trim() === '';
    open.characters += text.length;
    if (open.characters > (this.#limits.characters ?? CHARACTERS)) return false;
    // A group's blanks between its elements are nobody's text.
    if (open.element.children.length === 0 || text.trim() !== '') open.element.text += text;
    return true;
  }

  #name(): string | undefined {
    // A short piece: a name of ten million characters is not read to its end.
    const piece = this.#text.slice(this.#at, this.#at + NAME_CHARACTERS + 1);
    const [name = ''] = NAME.exec(piece) ?? [];
    if (name === '' || name.length > NAME_CHARACTERS) return undefined;
    this.#at += name.length;
    return name;
  }

  #blanks(): void {
    while (BLANK.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #take(what: string): boolean {
    const there = this.#text.startsWith(what, this.#at);
    if (there) this.#at += what.length;
    return there;
  }

  /** To behind the next `what`, which begins `skip` characters from here or later. */
  #past(what: string, skip = 0): boolean {
    const end = this.#text.indexOf(what, this.#at + skip);
    this.#at = end + what.length;
    return end !== -1;
  }
}

function local(tag: string): string {
  return tag.slice(tag.indexOf(':') + 1);
}

/** References resolved: the five of XML and characters by number; undefined for any other. */
function resolved(raw: string): string | undefined {
  let at = raw.indexOf('&');
  if (at === -1) return raw;
  let plain = raw.slice(0, at);
  while (at !== -1) {
    const end = raw.indexOf(';', at);
    if (end === -1 || end - at > REFERENCE_CHARACTERS) return undefined;
    const character = referred(raw.slice(at + 1, end));
    if (character === undefined) return undefined;
    at = raw.indexOf('&', end);
    plain += character + raw.slice(end + 1, at === -1 ? undefined : at);
  }
  return plain;
}

function referred(name: string): string | undefined {
  const known = ENTITIES.get(name);
  if (known !== undefined) return known;
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name) ?? [];
  const digits = hex ?? decimal;
  if (digits === undefined) return undefined;
  const code = Number.parseInt(digits, hex === undefined ? 10 : 16);
  const allowed =
    code === 9 || code === 10 || code === 13 || (code >= 0x20 && code < 0xd800) || code > 0xdfff;
  return allowed && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
