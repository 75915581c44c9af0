/** The report of a run: plain data, the same for terminal, JSON, SARIF, JUnit and HTML. */

import type { Level } from './check.ts';
import type { Finding, Protocol } from './finding.ts';
import type { PermitGround } from './safety/permit.ts';

/** Raised when a field changes its meaning; new fields alone do not raise it. */
export const REPORT_SCHEMA = 'postern-audit/1';

export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  /** Of Postern. */
  readonly version: string;
  /** As it was asked for. */
  readonly target: string;
  /** ISO 8601. */
  readonly started: string;
  readonly finished: string;
  readonly level: Level;
  /** On what ground each host was audited. */
  readonly grounds: readonly { readonly host: string; readonly ground: PermitGround }[];
  readonly vantage: Vantage;
  readonly services: readonly ReportedService[];
  /** Ports that answered, but with no mail service; closed ones are counted only. */
  readonly others: readonly {
    readonly host: string;
    readonly port: number;
    readonly why: string;
  }[];
  readonly closedPorts: number;
  readonly filteredPorts: number;
  /** What it cost the target. */
  readonly spent: {
    readonly connections: number;
    readonly messages: number;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  };
  readonly findings: readonly Finding[];
  /** How the run was asked for, for `audit replay`. */
  readonly request: ReplayRequest;
}

/** Where we stood: servers trust their own networks, so the same question has other answers. */
export interface Vantage {
  readonly source: string | undefined;
  readonly note: string;
}

export interface ReportedService {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly tls: 'none' | 'starttls' | 'implicit';
  readonly role: 'reception' | 'submission' | 'access' | 'delivery';
  readonly product: string;
  readonly productVersion: string | undefined;
  readonly greeting: string;
  readonly capabilities: readonly string[];
}

/** Enough to ask the same again; never a secret. */
export interface ReplayRequest {
  readonly places: readonly {
    readonly host: string;
    readonly address: string;
    readonly ports: readonly number[];
  }[];
  readonly domains: readonly string[];
  readonly level: Level;
  readonly source: string | undefined;
  readonly selectors: readonly string[];
}
