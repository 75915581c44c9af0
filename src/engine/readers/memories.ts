/** Reads what policy remembered. */

import type { MemoryKind, MemoryReader, Remembered } from '#store/memories.ts';
import type { Reading } from './reading.ts';

const NEWEST = `SELECT key, first_ms, last_ms, times FROM memories
  WHERE kind = ? ORDER BY last_ms DESC LIMIT ? + 0`;

type Columns = [key: string, firstMs: number, lastMs: number, times: number];

export class MemoryRows implements MemoryReader {
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  list(kind: MemoryKind, limit: number): readonly Remembered[] {
    const rows = this.#reading.one((sql) => sql.rows<Columns>(NEWEST, kind, limit));
    return rows.map(([key, firstMs, lastMs, times]) => ({ key, firstMs, lastMs, times }));
  }
}
