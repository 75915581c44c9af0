/** One text that outlives the process: what a cache or a counter must remember. */

/** Read once at the start, written whole each time; made by command, or by a test. */
export interface Notebook {
  /** What was written last; undefined: nothing, or nothing that can be read. */
  read(): string | undefined;
  /** Writes it whole or not at all; throws a temporary Failure when it could not be. */
  write(text: string): void;
}
